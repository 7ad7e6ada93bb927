"""Preparation of patients: from the series of a scanner to T1, T1Gd, T2, FLAIR, ADC and rCBV on one grid.

In the order of the steps: `series` (find and choose the series, with `recognition`), `head_motion` (within DWI and
DSC), `alignment` (registration), `anatomy` (brain extraction, bias correction, structural images), `maps` (ADC, rCBV)
and `masks` (lesion); `patient` runs them. Every step receives the `Patient` of `context`; `stages` keeps the record
`prepare.json` and reuses earlier results. `settings` defines the options, `patients` finds the folders, and `command`
prepares all patients and writes the tables of the cohort.
"""
