"""Conversion of DICOM files to de-identified NIfTI series.

`headers` reads tags and detects the patient's name, `series` groups files into series, `slices` checks that volumes are
complete, and `convert` runs dcm2niix.
"""
