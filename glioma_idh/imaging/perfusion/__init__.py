"""Perfusion from a T2*-weighted dynamic series (DSC): relative blood volume, corrected for leakage.

`acquisition` (what the series must be), `dark_volumes` (what is filled in), `bolus` (baseline, arrival, first pass),
`relaxation` (from signal to dR2*, one or two echoes), `leakage` (what has left the vessels), `blood_volume` and
`gamma_variate` (the area under the curve), `white_matter` (its unit), `signal_recovery` (two further maps); `rcbv` goes
through them.
"""
