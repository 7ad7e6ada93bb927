"""What a scan is, and what becomes of it on the way from the scanner.

In the order of that way: `dicom` (files to series, without identity), `acquisition` (how they were acquired) and
`series_names` (what they are called), `registration` (to one grid; also motion within a series, and the template),
`resampling` (and the way to SimpleITK), `heuristics` (with skull or without; was contrast given), `brain` (with bias),
`diffusion` (ADC), `perfusion` (rCBV). `volumes` and `masks` are what all stand on, `nifti` is the disk.
"""
