"""The built-in synthetic cohort: brains and gliomas made by rule, with IDH planted and the best possible AUC known.

The way it is made: `recipe` (who is mutant, and the latent of each sequence), `anatomy` (a brain), `lesions` (a tumour
in it), `signal` (the images), `folder` (the files); `fields` holds the smooth random fields they share. `raw` makes a
patient as the scanner gives it, with `diffusion_series` and `perfusion_series`. No clinical result can come of it.
"""

from glioma_idh.lazy import lazy_names

NAMES = {"folder": ("make_phantom",), "recipe": ("PLANTED_AUC", "SEQUENCES", "planted_scores")}
__all__, __getattr__, __dir__ = lazy_names(__name__, NAMES)
