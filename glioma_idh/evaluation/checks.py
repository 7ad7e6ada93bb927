"""What a table must be before it becomes numbers: a wrong one stops here with a ValueError, with a subject named."""

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedKFold

from glioma_idh.evaluation.metrics import SPLIT, has_values

MADE_FOLDS = 5  # of a table that comes without splits
MEASURED = ["dice", "hd95_mm", "predicted_ml", "lesion_ml", "num_lesions", "num_lesions_found", "num_false_lesions"]
COLUMNS = ["subject", "patient", "repeat", "split", "truth", "score"]


def because(reason: str) -> str:
    """How an answer that is not available is put, everywhere."""
    return f"cannot be computed, because {reason}"


def as_text(cells: pd.Series) -> pd.Series:
    """Cells of a table as text, a grade of `4.0` as 4, "" where there is none."""
    text = ["" if pd.isna(cell) else str(cell).strip().removesuffix(".0") for cell in cells]
    return pd.Series(text, cells.index, dtype=str)


def check_predictions(predictions: pd.DataFrame) -> None:
    """A predictions table must have its columns, truths and scores, a subject once a split, a patient one truth."""
    check_columns(predictions, COLUMNS, "predictions")
    check_scores(predictions["truth"], predictions["score"], predictions["subject"].to_numpy())
    check_splits(predictions, "tests")
    two = predictions.groupby("patient")["truth"].transform("nunique") > 1
    if two.any():
        raise ValueError(f"expected one truth a patient; found 0 and 1 of {predictions.loc[two, 'patient'].iloc[0]}")


def check_columns(table: pd.DataFrame, columns: list[str], name: str) -> None:
    """A table must have these columns, and rows."""
    missing = [column for column in columns if column not in table]
    if missing:
        raise ValueError(f"expected the column {missing[0]} in the {name}; found {', '.join(table.columns)}")
    if table.empty:
        raise ValueError(f"expected rows in the {name}; found none")


def check_splits(table: pd.DataFrame, noun: str) -> None:
    """Repeats and splits must be whole numbers, and no subject stand twice in one split."""
    for column in SPLIT:
        whole = _numbers(table[column], column, table["subject"].to_numpy()) % 1 == 0
        if not whole.all():
            first = table[~whole].iloc[0]
            raise ValueError(f"expected a whole number as {column}; found {first[column]} for {first['subject']}")
    check_once(table, noun)


def check_once(table: pd.DataFrame, noun: str) -> None:
    """No subject may stand twice in one split of a table with `subject, repeat, split`."""
    twice = table.duplicated(["subject", "repeat", "split"])
    if twice.any():
        row = table[twice].iloc[0]
        where = f"{row['subject']} twice in repeat {row['repeat']}, split {row['split']}"
        raise ValueError(f"expected each subject once in the {noun} of a split; found {where}")


def check_scores(truth, score, names=None) -> tuple[np.ndarray, np.ndarray]:
    """Truth and score as numbers: 0 or 1, from 0 to 1, as many of the one as of the other; `names` for the message."""
    truth, score = _numbers(truth, "truth", names), _numbers(score, "score", names)
    if truth.ndim != 1 or truth.shape != score.shape or len(truth) == 0:
        raise ValueError(f"expected one score a truth, shape (n,); found {truth.shape} truths and {score.shape} scores")
    names = np.arange(len(truth)) if names is None else names
    for values, valid, noun in (
        (truth, np.isin(truth, (0, 1)), "a truth of 0 or 1"),
        (score, (score >= 0) & (score <= 1), "a score from 0 to 1"),
    ):
        if not valid.all():
            first = int(np.argmin(valid))
            raise ValueError(f"expected {noun}; found {values[first]} for {names[first]}, {(~valid).sum()} such in all")
    return truth, score


def _numbers(cells, noun: str, names=None) -> np.ndarray:
    """Cells as numbers."""
    try:
        return np.asarray(cells, dtype=np.float64)
    except (TypeError, ValueError) as error:
        cells = np.asarray(cells, dtype=object).ravel()
        first = int(np.argmax(pd.to_numeric(pd.Series(cells), errors="coerce").isna()))
        whose = "" if names is None else f" for {names[first]}"
        raise ValueError(f"expected numbers as {noun}; found {cells[first]!r}{whose}") from error


def check_cohort(predictions: pd.DataFrame, cohort: pd.DataFrame) -> None:
    """Subjects tested must stand in the cohort table, once, as the same patient and with the same truth."""
    check_columns(cohort, ["subject", "patient"], "cohort table")
    check_one_row_a_subject(cohort)
    missing = ~predictions["subject"].isin(cohort["subject"])
    if missing.any():
        first = predictions.loc[missing, "subject"].iloc[0]
        raise ValueError(f"expected those tested in the cohort table; found no {first}, {missing.sum()} such in all")
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
    """No subject may stand twice in a cohort table."""
    twice = cohort["subject"].duplicated()
    if twice.any():
        found = f"two of {cohort.loc[twice, 'subject'].iloc[0]}"
        raise ValueError(f"expected one row a subject in the cohort table; found {found}")


def check_tests(predictions: pd.DataFrame, splits: pd.DataFrame) -> None:
    """The predictions must be of the splits' tests, all of them."""
    columns = ["subject", *SPLIT]
    check_columns(splits, [*columns, "part"], "splits")
    both = predictions[columns].merge(splits.loc[splits["part"] == "test", columns], how="outer", indicator="where")
    alone = both[both["where"] != "both"]
    if len(alone):
        subject, repeat, split, where = alone.iloc[0]
        only = "in the predictions" if where == "left_only" else "among the splits' tests"
        found = f"{subject} of repeat {repeat}, split {split} only {only}, {len(alone)} such in all"
        raise ValueError(f"expected predictions of the splits' tests; found {found}")


def complete(table: pd.DataFrame) -> tuple[pd.DataFrame, bool]:
    """A predictions table out of one that another program may have made.

    It has `subject, truth`, and `score` or `dice`. `patient` becomes the subject and `cohort` empty where they are
    missing, `repeat` 1. Where there are no splits, patients are dealt into five of equal shares of mutants, or into as
    many as the rarer class has patients: made only so that thresholds, scalings and baselines can be learnt on other
    patients than they are applied to. Several repeats without splits are hold-outs, one split each, of the repeat's
    number. A column `fold` is read as `split`. Returns also whether its splits were made here.
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
    truths = filled.groupby("patient")["truth"].max()  # dealt the same in any order of the rows
    fewest = truths.value_counts().min() if truths.nunique() > 1 else 0
    folds = pd.Series(1, truths.index)
    if fewest >= 2:
        dealt = StratifiedKFold(min(MADE_FOLDS, fewest), shuffle=True, random_state=0).split(truths, truths)
        for fold, (_, test) in enumerate(dealt, start=1):
            folds.iloc[test] = fold
    return filled.assign(split=filled["patient"].map(folds)), True


def _text(cells: pd.Series) -> pd.Series:
    """Names as text, "" where there is none."""
    return cells.astype(object).fillna("").astype(str).str.strip()


def numbered_names(predictions: pd.DataFrame) -> dict | None:
    """Whether subjects without a patient look like rows of fewer ones (p01_slice00, p01_slice01 ...) of one truth each.

    At least half of all pairs of a name and a number must be there, and fewer names than half of the subjects, but more
    than two, which may be the two classes (`MUT01`, `WT01`). `num_subjects`, `num_names`, and `example`, a subject.
    """
    numbered = r"^(?P<stem>.*?)(?P<number>\d+)(?:\.[A-Za-z][\w.]*)?$"  # also before the ending of a file's name
    parts = predictions["subject"].str.extract(numbered).assign(**predictions[["subject", "truth"]])
    subjects = parts.drop_duplicates("subject")
    num_names, num_numbers = subjects["stem"].nunique(), subjects["number"].nunique()
    all_numbered = subjects["stem"].notna().all() and num_names > 2 and num_numbers >= 2
    nearly_all_pairs = len(subjects) >= num_names * num_numbers / 2
    one_truth_each = (parts.groupby("stem")["truth"].nunique() <= 1).all()
    if not (all_numbered and nearly_all_pairs and num_names < len(subjects) / 2 and one_truth_each):
        return None
    return {"num_subjects": len(subjects), "num_names": num_names, "example": subjects["subject"].iloc[0]}
