"""From DICOM files to NIfTI series without the patient's identity.

`headers` (files and tags), `series` (which files make one, and which are no sequence), `identity` (does a name tell who
the patient is), `slices` (do they make whole volumes), `convert` (all of it, with dcm2niix).
"""
