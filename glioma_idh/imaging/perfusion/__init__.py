"""Relative blood volume, corrected for leakage, from a T2*-weighted dynamic series (DSC): `acquisition` (what it must
be, which volumes are filled in), `bolus` (baseline, arrival, first pass), `relaxation` (from signal to dR2*; further
maps; leakage), `blood_volume` (the area under the curve, and its unit); `rcbv` goes through them."""
