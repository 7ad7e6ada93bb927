"""What answers without a network are worth on the same test subjects: the rows below a table of results."""

from pathlib import Path

import numpy as np
import pandas as pd

from glioma_idh import runs
from glioma_idh.cohorts.checks.guesses import guess_intensities
from glioma_idh.cohorts.scans import read_scan
from glioma_idh.evaluation.metrics import pooled_scores
from glioma_idh.sgp3d.preprocessing import standardise

THRESHOLDS = np.arange(-10, 31) / 10  # of FLAIR, z-scores
GRADES = {"LGG": 1, "HGG": 2, "1": 1, "2": 2, "3": 3, "4": 4}  # BraTS' two, or WHO's; a cohort has one kind


def baselines_of_run(folder: Path, targets: str, quiet: bool = True) -> dict[str, dict[str, float]]:
    """Scores of answers that need no network, on the subjects that the networks of a run are tested on.

    Args:
        folder: of the run, which is prepared.
        targets: what its networks learn; other answers are left out.
        quiet: no progress bar.

    Returns:
        By the answer's name: the tumour's grade alone, where the cohort has it; a mask of the whole image; FLAIR above
        a threshold that is chosen on each split's training subjects.
    """
    cohort, splits = runs.read_table(folder / "cohort.csv"), runs.read_table(folder / "splits.csv")
    rows = {}
    if targets != "segmentation":
        rows["grade alone"] = grade_scores(cohort, splits)
    if targets in ("both", "segmentation"):
        rows |= simple_mask_scores(cohort, splits, quiet)
    return {name: scores for name, scores in rows.items() if scores}


def grade_scores(cohort: pd.DataFrame, splits: pd.DataFrame) -> dict[str, float]:
    """How well the tumour's grade alone tells the genotype: the lower, the more likely a mutation.

    Args:
        cohort: cohort table with `grade`: LGG and HGG, or 1 to 4.
        splits: `repeat, fold, subject, part`.

    Returns:
        The scores, a grade below the highest being called mutant; a subject without a grade has the cohort's most
        frequent one. Empty where nobody has a grade, the two ways of writing it are mixed, or all have the same.
    """
    graded = splits[splits["part"] == "test"].merge(cohort.rename(columns={"idh": "truth"}), on="subject")
    known = cohort["grade"][cohort["grade"].isin(list(GRADES))]
    graded["grade"] = graded["grade"].replace("", known.mode().iloc[0] if len(known) else "")
    words, rank = graded["grade"].isin(("LGG", "HGG")), graded["grade"].map(GRADES)
    if rank.isna().any() or words.any() != words.all() or rank.nunique() < 2:
        return {}
    highest = rank.max()
    score = (rank < highest) * (1 - rank / (2 * highest))  # 0 for the highest, above one half for the others
    return pooled_scores(graded.assign(score=score))


def simple_mask_scores(cohort: pd.DataFrame, splits: pd.DataFrame, quiet: bool = True) -> dict[str, dict[str, float]]:
    """Dice of two masks that anybody can draw, on each subject's own grid; means over the subjects tested.

    Args:
        cohort: cohort table.
        splits: as above.
        quiet: no progress bar.
    """
    from joblib import Parallel, delayed
    from tqdm import tqdm

    calls = (delayed(simple_dice)(row) for _, row in cohort.iterrows())
    results = Parallel(-1, return_as="generator")(calls)
    bar = tqdm(results, desc="simple masks", total=len(cohort), unit="subject", disable=quiet or None)
    dice = pd.DataFrame(list(bar), index=cohort["subject"], columns=["whole", *range(len(THRESHOLDS))])
    flair = []
    for _, split in splits.groupby(["repeat", "fold"]):
        train, test = (dice.loc[split.loc[split["part"] == part, "subject"]] for part in ("train", "test"))
        flair.append(test[train.drop(columns="whole").mean().idxmax()])
    tested = splits.loc[splits["part"] == "test", "subject"].unique()
    flair = pd.concat(flair).groupby(level=0).mean()
    return {
        "mask of the whole image": {"dice": float(dice.loc[tested, "whole"].mean())},
        "FLAIR above a threshold": {"dice": float(flair.mean())},
    }


def simple_dice(row: pd.Series) -> list[float]:
    """Dice of the whole image, then of FLAIR above each of THRESHOLDS, for one subject.

    FLAIR is a z-score over the brain: as delivered where it looks like one, as a crop has lost the brain to take it of.
    """
    flair, lesion = read_scan(row, "flair", order="K"), read_scan(row, "lesion_mask", order="K").array != 0
    brain, total = flair.array != 0, np.count_nonzero(lesion)
    tissue = flair.array[brain]
    if guess_intensities(tissue, flair.array.size * flair.voxel_ml) != "z-scored":
        tissue = standardise(tissue)
    common, above = _count_above(tissue[lesion[brain]]), _count_above(tissue)
    return [2 * total / (total + lesion.size), *(2 * common / (above + total)).tolist()]


def _count_above(values: np.ndarray) -> np.ndarray:
    """How many are above each of THRESHOLDS."""
    return len(values) - np.searchsorted(np.sort(values), THRESHOLDS, side="right")
