"""Registration: `rigid` (one image to another, multi-resolution with `pyramid`), `head_motion` (volumes of a series to
one of them), and `template` (the ICBM152 template to a head; `template_search` finds the affine part)."""
