"""From DICOM files to NIfTI series without the patient's identity.

`headers` (files, tags, series), `letters` (character sets), `identity` (does a name tell who the patient is), `kinds`
(which series are no sequence), `slices` (do they make whole volumes), `convert` (all of it, with dcm2niix).
"""
