"""From the scanner to the six sequences on one grid, one patient at a time.

In the order of the steps: `series` (what there is: `recognition`, `candidates`), `movement` (within DWI and DSC),
`alignment`, `anatomy` (brain, bias, structural images), `maps` (ADC, rCBV), `lesion`; `patient` goes through them. Each
is handed the `Patient` of `context`; `stages` knows what was done of what, `record` is the patient's `prepare.json`,
`tables` keeps the cohort's, `settings` is what a user can ask for.
"""
