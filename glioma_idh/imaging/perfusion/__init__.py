"""Perfusion from a T2*-weighted dynamic series (DSC): relative blood volume, corrected for leakage.

`acquisition` (what the series must be, and which volumes are filled in), `bolus` (baseline, arrival, first pass),
`relaxation` (from signal to dR2*, one or two echoes; two further maps; what has left the vessels), `blood_volume` (the
area under the curve, and its unit); `rcbv` goes through them.
"""
