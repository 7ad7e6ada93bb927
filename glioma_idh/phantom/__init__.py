"""The built-in synthetic cohort ('phantom'): computed brains and gliomas with a known IDH status. No clinical results.

The IDH status shows in some sequences as strongly as we chose, so that the best possible AUC is known.

    recipe   the subjects: who is mutant, and how strongly it shows in each sequence
    anatomy  a brain
    lesions  a tumour in it
    signal   its images
    folder   the files of a cohort
    raw      one patient as a scanner writes it, with `diffusion_series` and `perfusion_series`
    fields   smooth random fields, which several of these use
"""

from typing import TYPE_CHECKING

from glioma_idh.lazy import lazy_names

if TYPE_CHECKING:
    from glioma_idh.phantom.folder import make_phantom as make_phantom
    from glioma_idh.phantom.recipe import PLANTED_AUC as PLANTED_AUC
    from glioma_idh.phantom.recipe import SEQUENCES as SEQUENCES
    from glioma_idh.phantom.recipe import planted_scores as planted_scores

__all__, __getattr__, __dir__ = lazy_names(
    __name__,
    {
        "folder": ("make_phantom",),
        "recipe": ("PLANTED_AUC", "SEQUENCES", "planted_scores"),
    },
)
