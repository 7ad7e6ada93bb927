"""From the scanner to the six sequences on one grid, one patient at a time.

In the order of the steps: `series` (what there is: `recognition`), `movement` (within DWI and DSC), `alignment`,
`anatomy` (brain, bias, structural images), `maps` (ADC, rCBV), `masks` (lesion); `patient` goes through them. Each is
handed the `Patient` of `context`; `stages` keeps what was done of what in its `prepare.json`. `settings` is what a user
can ask for, `patients` whose folders there are; `command` goes through them and writes the cohort's tables.
"""
