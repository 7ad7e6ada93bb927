"""From DICOM files to NIfTI series without identity: `headers` (files, tags; does a name tell who the patient is),
`series` (which files make one, which are no sequence), `slices` (do they make whole volumes), `convert` (dcm2niix)."""
