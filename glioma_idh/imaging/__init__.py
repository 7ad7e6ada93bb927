"""What a scan is, and what becomes of it on the way from the scanner.

In the order of that way: `dicom` (files to series, without identity), `acquisition` (how they were acquired) and
`series_names` (what they are called), `registration` (to one grid; also motion within a series, and the template),
`resampling`, `heuristics` (with skull or without), `brain` (with bias), `enhancement` (was contrast given), `diffusion`
(ADC), `perfusion` (rCBV). `volumes`, `boxes` and `masks` are what all stand on, `itk` the way to SimpleITK.
"""
