"""Check the input tables. An invalid table raises ValueError, which names a subject."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.model_selection import StratifiedKFold

from glioma_idh.evaluation.metrics import SPLIT, has_values

MADE_FOLDS = 5  # number of folds made for a table without splits
MEASURED = ["dice", "hd95_mm", "predicted_ml", "lesion_ml", "num_lesions", "num_lesions_found", "num_false_lesions"]
COLUMNS = ["subject", "patient", "repeat", "split", "truth", "score"]


def because(reason: str) -> str:
    """Return the text for a result that is not available. It follows the name of the result in sentences."""
    return f"cannot be computed, because {reason}"


def as_text(cells: pd.Series) -> pd.Series:
    """Convert the cells of a table to text: `4.0` becomes "4", missing values become ""."""
    text = ["" if pd.isna(cell) else str(cell).strip().removesuffix(".0") for cell in cells]
    return pd.Series(text, cells.index, dtype=str)


def check_predictions(predictions: pd.DataFrame) -> None:
    """Check a predictions table: columns, labels, scores, each subject once per split, one label per patient."""
    check_columns(predictions, COLUMNS, "predictions")
    check_scores(predictions["truth"], predictions["score"], predictions["subject"].to_numpy())
    check_splits(predictions, "tests")
    two = predictions.groupby("patient")["truth"].transform("nunique") > 1
    if two.any():
        patient = predictions.loc[two, "patient"].iloc[0]
        raise ValueError(f"expected one label (column truth) per patient; found 0 and 1 for {patient}")


def check_columns(table: pd.DataFrame, columns: list[str], name: str) -> None:
    """Check that a table has these columns and at least one row."""
    missing = [column for column in columns if column not in table]
    if missing:
        raise ValueError(f"expected the column {missing[0]} in the {name}; found {', '.join(table.columns)}")
    if table.empty:
        raise ValueError(f"expected rows in the {name}; found none")


def check_splits(table: pd.DataFrame, noun: str) -> None:
    """Check that repeats and splits are whole numbers, and that each subject occurs only once per split."""
    for column in SPLIT:
        whole = _numbers(table[column], column, table["subject"].to_numpy()) % 1 == 0
        if not whole.all():
            first = table[~whole].iloc[0]
            raise ValueError(f"expected a whole number as {column}; found {first[column]} for {first['subject']}")
    check_once(table, noun)


def check_once(table: pd.DataFrame, noun: str) -> None:
    """Check that each subject occurs only once per split in a table with `subject, repeat, split`."""
    twice = table.duplicated(["subject", "repeat", "split"])
    if twice.any():
        row = table[twice].iloc[0]
        where = f"{row['subject']} twice in repeat {row['repeat']}, split {row['split']}"
        raise ValueError(f"expected each subject once in the {noun} of a split; found {where}")


def check_scores(
    truth: ArrayLike, score: ArrayLike, names: Sequence[str] | np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Check labels (0 or 1) and scores (0 to 1), shape (n,), and return them as numbers.

    `names` are the subjects for the error message.
    """
    truth, score = _numbers(truth, "truth", names), _numbers(score, "score", names)
    if truth.ndim != 1 or truth.shape != score.shape or len(truth) == 0:
        found = f"{truth.shape} labels and {score.shape} scores"
        raise ValueError(f"expected one score per label, shape (n,); found {found}")
    names = np.arange(len(truth)) if names is None else names
    for values, valid, noun in (
        (truth, np.isin(truth, (0, 1)), "a label (truth) of 0 or 1"),
        (score, (score >= 0) & (score <= 1), "a score from 0 to 1"),
    ):
        if not valid.all():
            first = int(np.argmin(valid))
            found = f"{values[first]} for {names[first]} ({(~valid).sum()} such values in all)"
            raise ValueError(f"expected {noun}; found {found}")
    return truth, score


def _numbers(cells: ArrayLike, noun: str, names: Sequence[str] | np.ndarray | None = None) -> np.ndarray:
    """Convert cells to numbers."""
    try:
        return np.asarray(cells, dtype=np.float64)
    except (TypeError, ValueError) as error:
        cells = np.asarray(cells, dtype=object).ravel()
        first = int(np.argmax(pd.to_numeric(pd.Series(cells), errors="coerce").isna()))
        whose = "" if names is None else f" for {names[first]}"
        raise ValueError(f"expected numbers as {noun}; found {cells[first]!r}{whose}") from error


def check_cohort(predictions: pd.DataFrame, cohort: pd.DataFrame) -> None:
    """Check that the cohort table has every tested subject once, with the same patient and label."""
    check_columns(cohort, ["subject", "patient"], "cohort table")
    check_one_row_a_subject(cohort)
    missing = ~predictions["subject"].isin(cohort["subject"])
    if missing.any():
        first = predictions.loc[missing, "subject"].iloc[0]
        found = f"no row for {first} ({missing.sum()} such subjects in all)"
        raise ValueError(f"expected the tested subjects in the cohort table; found {found}")
    known = cohort.set_index("subject").loc[predictions["subject"]]
    pairs = [("patient", "patient", known["patient"])]
    if "idh" in cohort:
        pairs.append(("truth", "idh", pd.to_numeric(known["idh"], errors="coerce")))
    for ours, theirs, cells in pairs:
        tested = predictions[ours].to_numpy()
        unlike = (tested != cells.to_numpy()) & ~pd.isna(tested)
        if unlike.any():
            first = int(np.argmax(unlike))
            found = f"{tested[first]} and {theirs} {cells.iloc[first]} for {predictions['subject'].iloc[first]}"
            raise ValueError(f"expected the same {ours} in predictions and cohort table; found {found}")


def check_one_row_a_subject(cohort: pd.DataFrame) -> None:
    """Check that the cohort table has only one row per subject."""
    twice = cohort["subject"].duplicated()
    if twice.any():
        found = f"two rows for {cohort.loc[twice, 'subject'].iloc[0]}"
        raise ValueError(f"expected one row per subject in the cohort table; found {found}")


def check_tests(predictions: pd.DataFrame, splits: pd.DataFrame) -> None:
    """Check that the predictions and the test sets of the splits have the same subjects."""
    columns = ["subject", *SPLIT]
    check_columns(splits, [*columns, "part"], "splits")
    both = predictions[columns].merge(splits.loc[splits["part"] == "test", columns], how="outer", indicator="where")
    alone = both[both["where"] != "both"]
    if len(alone):
        subject, repeat, split, where = alone.iloc[0]
        only = "in the predictions" if where == "left_only" else "in the splits"
        found = f"{subject} of repeat {repeat}, split {split} only {only} ({len(alone)} such tests in all)"
        raise ValueError(f"expected predictions for the test sets of the splits; found {found}")


def complete(table: pd.DataFrame) -> tuple[pd.DataFrame, bool]:
    """Complete a predictions table, for example of another program.

    Missing columns are added: `patient` is the subject, `cohort` is "", `repeat` is 1. A column `fold` is read as
    `split`. If there are several repeats without splits, each is one hold-out split. If there are no splits at all, the
    patients are divided into five stratified folds (fewer if the rarer class has fewer patients); these are used only
    to fit thresholds, recalibration and baselines on other patients than they are applied to.

    Args:
        table: `subject, truth`, and `score` or `dice`.

    Returns:
        The completed table, and whether folds were made.
    """
    check_columns(table, ["subject", "truth"], "predictions")
    scored = has_values(table, "score")
    if not (scored or has_values(table, "dice")):
        raise ValueError(f"expected numbers in the column score or dice; found {', '.join(table.columns)}")
    names = _text(table["subject"])
    if (names == "").any():
        raise ValueError(f"expected a subject in every row; found none in row {int(np.argmax(names == '')) + 1}")
    if "fold" in table and "split" in table:
        raise ValueError("expected one of the columns split and fold; found both")
    table = table.rename(columns={"fold": "split"})
    if scored:
        check_scores(table["truth"], table["score"], names.to_numpy())
    if table["truth"].dtype == bool:
        table = table.assign(truth=table["truth"].astype(int))
    for column in [column for column in MEASURED if column in table]:
        values = _numbers(table[column], column, names.to_numpy())
        wrong = (values < 0) | (values > 1)
        if column == "dice" and wrong.any():
            first = int(np.argmax(wrong))
            raise ValueError(f"expected a Dice from 0 to 1; found {values[first]} for {names.iloc[first]}")
    patients = _text(table["patient"]) if "patient" in table else names
    filled = table.assign(subject=names, patient=patients.where(patients != "", names))
    for column, value in (("cohort", ""), ("score", np.nan), ("repeat", 1)):
        filled = filled if column in filled else filled.assign(**{column: value})
    if not scored or "split" in table or filled["repeat"].nunique() != 1:
        return filled.assign(split=filled.get("split", filled["repeat"])), False
    truths = filled.groupby("patient")["truth"].max()  # sorted, so that the folds do not depend on the order of rows
    fewest = truths.value_counts().min() if truths.nunique() > 1 else 0
    folds = pd.Series(1, truths.index)
    if fewest >= 2:
        dealt = StratifiedKFold(min(MADE_FOLDS, fewest), shuffle=True, random_state=0).split(truths, truths)
        for fold, (_, test) in enumerate(dealt, start=1):
            folds.iloc[test] = fold
    return filled.assign(split=filled["patient"].map(folds)), True


def _text(cells: pd.Series) -> pd.Series:
    """Convert names to text; missing values become ""."""
    return cells.astype(object).fillna("").astype(str).str.strip()


def numbered_names(predictions: pd.DataFrame) -> dict | None:
    """Detect subjects that seem to be several rows of fewer patients with one label each, such as p01_slice00.

    Conditions: all subjects are a name followed by a number; at least half of all combinations of name and number
    occur; and there are more than two names (two may be the classes, `MUT01`, `WT01`), but fewer than half the number
    of subjects.

    Returns:
        `num_subjects, num_names`, and a subject as `example`; None if the conditions are not met.
    """
    numbered = r"^(?P<stem>.*?)(?P<number>\d+)(?:\.[A-Za-z][\w.]*)?$"  # with or without the ending of a file name
    parts = predictions["subject"].str.extract(numbered).assign(**predictions[["subject", "truth"]])
    subjects = parts.drop_duplicates("subject")
    num_names, num_numbers = subjects["stem"].nunique(), subjects["number"].nunique()
    all_numbered = subjects["stem"].notna().all() and num_names > 2 and num_numbers >= 2
    nearly_all_pairs = len(subjects) >= num_names * num_numbers / 2
    one_truth_each = (parts.groupby("stem")["truth"].nunique() <= 1).all()
    if not (all_numbered and nearly_all_pairs and num_names < len(subjects) / 2 and one_truth_each):
        return None
    return {"num_subjects": len(subjects), "num_names": num_names, "example": subjects["subject"].iloc[0]}
