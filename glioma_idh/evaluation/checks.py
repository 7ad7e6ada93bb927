"""What a table must be before it becomes numbers: a wrong one stops here, with a subject named."""

import numpy as np
import pandas as pd

COLUMNS = ["subject", "patient", "repeat", "fold", "truth", "score"]


def because(reason: str) -> str:
    """How an answer that cannot be had is put, everywhere."""
    return f"cannot be computed, because {reason}"


def check_predictions(predictions: pd.DataFrame) -> None:
    """A predictions table must have its columns, whole probabilities, and each subject once a split.

    Args:
        predictions: columns `subject, patient, repeat, fold, truth, score`.

    Raises:
        ValueError: a column is missing, the table is empty, a score or a truth is not one, a subject is tested twice
            in a split, or a patient has two truths; it names a subject.
    """
    check_columns(predictions, COLUMNS, "predictions")
    subjects = predictions["subject"].to_numpy()
    check_scores(predictions["truth"], predictions["score"], subjects)
    check_once(predictions, "tests")
    two = predictions.groupby("patient")["truth"].transform("nunique") > 1
    if two.any():
        raise ValueError(f"expected one truth a patient; found 0 and 1 of {predictions.loc[two, 'patient'].iloc[0]}")


def check_columns(table: pd.DataFrame, columns: list[str], name: str) -> None:
    """A table must have these columns, and rows.

    Raises:
        ValueError: it names the column.
    """
    missing = [column for column in columns if column not in table]
    if missing:
        raise ValueError(f"expected the column {missing[0]} in the {name}; found {', '.join(table.columns)}")
    if table.empty:
        raise ValueError(f"expected rows in the {name}; found none")


def check_once(table: pd.DataFrame, noun: str) -> None:
    """No subject may stand twice in one split of a table with `subject, repeat, fold`.

    Raises:
        ValueError: it names one that does.
    """
    twice = table.duplicated(["subject", "repeat", "fold"])
    if twice.any():
        row = table[twice].iloc[0]
        where = f"{row['subject']} twice in repeat {row['repeat']}, fold {row['fold']}"
        raise ValueError(f"expected each subject once in the {noun} of a split; found {where}")


def check_scores(truth, score, names=None) -> None:
    """Truths must be 0 or 1, scores from 0 to 1, as many of the one as of the other.

    Args:
        truth: 1 mutant, 0 wild-type, shape (n,).
        score: probability of mutation, shape (n,).
        names: of the n, for the message; their places, from 0, where there are none.

    Raises:
        ValueError: it names the first that is not.
    """
    truth, score = np.asarray(truth, dtype=np.float64), np.asarray(score, dtype=np.float64)
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
