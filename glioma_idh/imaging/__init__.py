"""Medical images: reading, conversion, registration, brain extraction, ADC and rCBV.

In the order of processing: `dicom` (DICOM files to de-identified NIfTI series), `acquisition` (echo time, b-values and
other acquisition parameters), `series_names` (words in file names and series descriptions), `registration` (rigid
registration, head motion within a series, fit of the ICBM152 template), `resampling` (also conversion to SimpleITK),
`heuristics` (skull-stripped or not; contrast agent or not), `brain` (bias field, brain extraction), `diffusion` (ADC),
`perfusion` (rCBV). All of them use `volumes` and `masks`; `nifti` handles unreadable files and units.
"""
