"""Leakage-corrected relative blood volume from dynamic T2*-weighted perfusion series (DSC).

`acquisition` checks the series and interpolates dark volumes, `bolus` finds baseline, arrival and first pass,
`relaxation` computes dR2*, further maps and the leakage correction, `blood_volume` the area under the curve and its
normalisation to white matter; `rcbv` combines them.
"""
