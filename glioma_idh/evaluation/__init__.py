"""Performance measures from tables of predictions. Nothing here reads images or networks.

Arguments that several functions have, which their docstrings do not repeat:

    truth        label: 1 IDH-mutant, 0 IDH-wild-type, one per patient, shape (n,)
    score        predicted probability of a mutation, shape (n,)
    predictions  predictions table: `subject, patient, repeat, split, truth, score`, and measures of the masks
    cohort       cohort table: `subject, patient, idh`, and any of `grade, sex, site, age_years, lesion_ml`
    splits       `subject, repeat, split, part`, where part is "train" or "test", as in a run's `splits.csv`
    level        confidence level of the intervals
    draws, seed  of a bootstrap: number of samples of patients, drawn with replacement, and the random seed

A table, label or score that cannot be used raises a ValueError that names the subject; so do tables that do not belong
together and arguments out of range. A measure that is not available is NaN, and its `reason` says why.
"""

from typing import TYPE_CHECKING

from glioma_idh.lazy import lazy_names

if TYPE_CHECKING:
    from glioma_idh.evaluation.auc import auc_within_splits as auc_within_splits
    from glioma_idh.evaluation.comparisons import Calls as Calls
    from glioma_idh.evaluation.comparisons import Comparison as Comparison
    from glioma_idh.evaluation.comparisons import compare as compare
    from glioma_idh.evaluation.comparisons import compare_calls as compare_calls
    from glioma_idh.evaluation.comparisons import compare_dice as compare_dice
    from glioma_idh.evaluation.comparisons import holm as holm
    from glioma_idh.evaluation.intervals import Estimate as Estimate
    from glioma_idh.evaluation.intervals import expected_auc_half_width as expected_auc_half_width
    from glioma_idh.evaluation.performance import evaluate as evaluate
    from glioma_idh.evaluation.segmentation import dice_score as dice_score
    from glioma_idh.evaluation.segmentation import mask_scores as mask_scores
    from glioma_idh.evaluation.thresholds import decision_curve as decision_curve

__all__, __getattr__, __dir__ = lazy_names(
    __name__,
    {
        "auc": ("auc_within_splits",),
        "comparisons": ("Calls", "Comparison", "compare", "compare_calls", "compare_dice", "holm"),
        "intervals": ("Estimate", "expected_auc_half_width"),
        "performance": ("evaluate",),
        "segmentation": ("dice_score", "mask_scores"),
        "thresholds": ("decision_curve",),
    },
)
