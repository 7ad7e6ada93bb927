"""Scores of simple baselines, without a network, on the same test subjects; printed below a table of results."""

from pathlib import Path

import numpy as np
import pandas as pd
from joblib import delayed

from glioma_idh import runs
from glioma_idh.cohorts.scans import read_mask, read_scan
from glioma_idh.evaluation.auc import auc_within_splits
from glioma_idh.evaluation.baselines import baseline_predictions
from glioma_idh.evaluation.metrics import pooled_scores
from glioma_idh.imaging.heuristics import classify_intensities
from glioma_idh.parallel import run_parallel
from glioma_idh.progress import progress
from glioma_idh.sgp3d.preprocessing import standardise

THRESHOLDS = np.arange(-10, 31) / 10  # of FLAIR intensity, z-scores


def baselines_of_run(folder: Path, targets: str, quiet: bool = True) -> dict[str, dict[str, float]]:
    """Compute the scores of the baselines, by name, on the test sets of a run.

    For the IDH genotype: age, lesion volume and grade alone. For segmentation: a mask of the whole image, and FLAIR
    above a threshold chosen on the training set of each split.
    """
    cohort, splits = runs.read_table(folder / runs.COHORT), runs.read_table(folder / runs.SPLITS)
    rows: dict = {}
    if targets != "segmentation":
        rows |= clinical_scores(cohort, splits)
    if targets in ("both", "segmentation"):
        rows |= simple_mask_scores(cohort, splits, quiet)
    return rows


def clinical_scores(cohort: pd.DataFrame, splits: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Score age, lesion volume and grade alone, if available; `auc` is the AUC within splits."""
    baselines = baseline_predictions(cohort, splits, ("age", "lesion volume", "grade"))
    return {
        f"{name} alone": pooled_scores(baseline.predictions) | {"auc": auc_within_splits(baseline.predictions).value}
        for name, baseline in baselines.items()
        if not baseline.reason
    }


def simple_mask_scores(cohort: pd.DataFrame, splits: pd.DataFrame, quiet: bool = True) -> dict[str, dict[str, float]]:
    """Score two simple masks by Dice on each subject's own grid, averaged over the test subjects."""
    tasks = run_parallel((delayed(simple_dice)(row) for _, row in cohort.iterrows()), -1)
    results = list(progress(tasks, total=len(cohort), what="simple masks", quiet=quiet))
    dice = pd.DataFrame(results, index=cohort["subject"], columns=["whole", *range(len(THRESHOLDS))])
    flair = []
    for _, split in splits.groupby(["repeat", "split"]):
        train, test = (dice.loc[split.loc[split["part"] == part, "subject"]] for part in ("train", "test"))
        flair.append(test[train.drop(columns="whole").mean().idxmax()])
    tested = splits.loc[splits["part"] == "test", "subject"].unique()
    flair = pd.concat(flair).groupby(level=0).mean()
    return {
        "mask of the whole image": {"dice": float(dice.loc[tested, "whole"].mean())},
        "FLAIR above a threshold": {"dice": float(flair.mean())},
    }


def simple_dice(row: pd.Series) -> list[float]:
    """Compute for one subject the Dice of the whole image, and of FLAIR above each of THRESHOLDS.

    FLAIR is converted to z-scores over the brain, unless it seems to be z-scored already, as in cropped data sets.
    """
    flair, lesion = read_scan(row, "flair", order="K"), read_mask(row, order="K").array != 0
    brain, total = flair.array != 0, np.count_nonzero(lesion)
    tissue = flair.array[brain]
    if classify_intensities(tissue, flair.array.size * flair.voxel_ml) != "z-scored":
        tissue = standardise(tissue)
    common, above = _count_above(tissue[lesion[brain]]), _count_above(tissue)
    return [2 * total / (total + lesion.size), *(2 * common / (above + total)).tolist()]


def _count_above(values: np.ndarray) -> np.ndarray:
    """Count the values above each of THRESHOLDS."""
    return len(values) - np.searchsorted(np.sort(values), THRESHOLDS, side="right")
