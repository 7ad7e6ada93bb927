"""Where the tissue of one image lies in another: `pyramid` (two images, coarse to fine), `rigid` (one to the other),
`head_motion` (the volumes of a series), `template` (ICBM152 in a head; `template_search` finds the affine part)."""
