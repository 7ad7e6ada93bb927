"""Compare predicted lesion masks with the reference: overlap, surface distance, volume, and individual lesions."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.ndimage import binary_erosion, distance_transform_edt, find_objects, label

from glioma_idh.evaluation.bootstrap import bootstrap_ratio
from glioma_idh.evaluation.checks import MEASURED
from glioma_idh.evaluation.intervals import no_estimate
from glioma_idh.evaluation.metrics import has_values

SMALLEST_LESION_ML = 0.05  # smaller connected parts are not counted as lesions
CORNERS = np.ones((3, 3, 3))  # connected voxels share a face, an edge or a corner


def mask_scores(predicted: np.ndarray, reference: np.ndarray, spacing_mm: ArrayLike) -> dict[str, float]:
    """Compare a predicted lesion mask with the reference on the same grid.

    If both masks are empty, Dice is 1 and HD95 is 0. If only one is empty, Dice is 0 and HD95 is NaN.

    Args:
        predicted: mask, not 0 in the lesion, shape (i, j, k).
        reference: mask of the same shape.
        spacing_mm: spacing of the voxels, shape (3,).

    Returns:
        dice: Dice coefficient.
        hd95_mm: the larger of the two 95th percentiles of the distances from the surface voxels of one mask to the
            nearest surface voxel of the other. Surface voxels have a face outside the mask.
        volume_error_ml: predicted minus reference volume.
        num_lesions: number of connected parts of the reference of at least SMALLEST_LESION_ML.
        num_lesions_found: number of these that overlap with the prediction.
        num_false_lesions: number of parts of the prediction of that size that do not overlap with the reference.
    """
    predicted, reference = np.asarray(predicted) != 0, np.asarray(reference) != 0
    if predicted.shape != reference.shape or predicted.ndim != 3:
        raise ValueError(f"expected masks of one shape (i, j, k); found {predicted.shape} and {reference.shape}")
    voxel_ml = float(np.prod(np.asarray(spacing_mm))) / 1000
    box = find_objects((predicted | reference).astype(np.uint8))
    predicted, reference = (mask[box[0]] if box else mask[:0] for mask in (predicted, reference))
    found = _touched(reference, predicted, SMALLEST_LESION_ML / voxel_ml)
    true = _touched(predicted, reference, SMALLEST_LESION_ML / voxel_ml)
    surfaces = [mask & ~binary_erosion(mask) for mask in (predicted, reference)]
    some = [surface.any() for surface in surfaces]
    hd95_mm = float("nan") if any(some) else 0.0
    if all(some):
        away_mm = [distance_transform_edt(~surface, sampling=spacing_mm) for surface in surfaces]
        hd95_mm = float(max(np.percentile(away_mm[1 - side][surfaces[side]], 95) for side in (0, 1)))
    return {
        "dice": dice_score(predicted, reference),
        "hd95_mm": hd95_mm,
        "volume_error_ml": float(np.count_nonzero(predicted) - np.count_nonzero(reference)) * voxel_ml,
        "num_lesions": len(found),
        "num_lesions_found": int(found.sum()),
        "num_false_lesions": int((~true).sum()),
    }


def dice_score(predicted: np.ndarray, reference: np.ndarray) -> float:
    """Compute the Dice coefficient of two masks; 1 if both are empty."""
    total = np.count_nonzero(predicted) + np.count_nonzero(reference)
    return float(2 * np.count_nonzero(np.logical_and(predicted, reference)) / total) if total else 1.0


def _touched(parts_of: np.ndarray, other: np.ndarray, fewest_voxels: float) -> np.ndarray:
    """Return for each connected part of at least `fewest_voxels` voxels whether it overlaps with the other mask."""
    parts, count = label(parts_of, CORNERS)
    sizes = np.bincount(parts.ravel(), minlength=count + 1)[1:]
    shared = np.bincount(parts[other], minlength=count + 1)[1:]
    return shared[sizes >= fewest_voxels - 1e-6] > 0


def summarise_segmentation(predictions: pd.DataFrame, level: float = 0.95, seed: int = 0) -> dict:
    """Summarise the segmentation measures of a predictions table, with bootstrap intervals over the patients.

    Returns:
        Estimates of the means over the subjects: `dice`, `hd95_mm`, `volume_error_ml` (predicted minus reference),
        `absolute_volume_error_ml` and `false_lesions`; and of `lesions_found`, the share of all lesions. Measures of a
        subject are averaged over its rows. `num_subjects`: subjects with measures; `num_without_hd95`: masks for which
        HD95 is not defined. {} if the table has no columns of `checks.MEASURED`.
    """
    if not any(has_values(predictions, column) for column in MEASURED if column not in ("hd95_mm", "lesion_ml")):
        return {}
    rows = predictions.reindex(columns=["subject", "patient", *MEASURED])
    error_ml = rows["predicted_ml"] - rows["lesion_ml"]
    rows = rows.assign(volume_error_ml=error_ml, absolute_volume_error_ml=error_ml.abs())
    measured = rows.dropna(how="all", subset=["dice", "predicted_ml", "num_lesions"])
    means = measured.groupby(["patient", "subject"]).mean().rename(columns={"num_false_lesions": "false_lesions"})
    ratios = {
        name: (means[name], means[name] * 0 + 1)
        for name in ("dice", "hd95_mm", "volume_error_ml", "absolute_volume_error_ml", "false_lesions")
    }
    ratios["lesions_found"] = means["num_lesions_found"], means["num_lesions"]
    answers: dict = {}
    for name, (numbers, of) in ratios.items():
        sums = pd.DataFrame({"numbers": numbers, "of": of}).dropna().groupby("patient").sum()
        if len(sums):  # patients are sampled with all their subjects
            answers[name] = bootstrap_ratio(sums["numbers"], sums["of"], level=level, seed=seed)
    answers["num_subjects"] = len(means)
    if "hd95_mm" in predictions:
        answers.setdefault("hd95_mm", no_estimate("one mask of each pair is empty"))
        answers["num_without_hd95"] = int((rows["dice"].notna() & rows["hd95_mm"].isna()).sum())
    return answers
