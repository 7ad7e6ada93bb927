"""From DICOM files to NIfTI series without the patient's identity.

`headers` (files and tags; does a name tell who the patient is), `series` (which files make one, and which are no
sequence), `slices` (do they make whole volumes), `convert` (all of it, with dcm2niix).
"""
