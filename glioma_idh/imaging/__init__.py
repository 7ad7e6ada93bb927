"""What a scan is, and what becomes of it on the way from the scanner.

In the order of that way: `dicom` (files to series, without identity), `acquisition` (how they were acquired),
`movement` (within a series), `registration` and `resampling` (to one grid), `guesses` (with skull or without),
`template` and `brain` (with bias), `enhancement` (was contrast given), `diffusion` and `scanner_adc` (ADC),
`perfusion` (rCBV). `volumes` and `boxes` are what all stand on, `itk` the way to SimpleITK.
"""
