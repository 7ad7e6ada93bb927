"""Who is unlike the subjects that a run learnt from, by measures of their images that are kept in the run folder."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

RARE = 0.001  # share of subjects such as the run's, at most, that one measure, or a group, calls unlike them
LEAST_SUBJECTS = 8  # of a run, for one measure; for a group thrice as many as it has measures


class Measure(NamedTuple):
    """One number of a subject, judged on its own."""

    column: str  # of the table of measures
    words: str  # what it is, with `{}` for a value
    scale: Callable[[np.ndarray], np.ndarray] = np.asarray  # to where a normal distribution is a fair picture of it


class Group(NamedTuple):
    """Several numbers of a subject, judged together."""

    columns: tuple[str, ...]  # of the table of measures
    sentence: str  # of a subject whose numbers do not go together as those of the run's `{n}` subjects do


def log_odds(share: np.ndarray) -> np.ndarray:
    """Shares on an unbounded scale; 0.01 and 0.99 stand for all beyond them."""
    share = np.clip(share, 0.01, 0.99)
    return np.log(share / (1 - share))


def find_departures(measured: pd.DataFrame, file: Path, measures: tuple[Measure, ...], group: Group) -> dict:
    """What is unlike a run's subjects, or the same as one of them, in sentences; by subject, those only who have any.

    One measure departs where it lies beyond all of the run's subjects and outside the interval that holds 999 of 1,000
    further ones (t distribution); a group by Hotelling's T2 for one further subject, at the same level.

    A subject whose measures are all those of one of the run's may be that one under another name; that alone is said.

    `measured` has a row a subject, the column `subject` and the measures, NaN where there is none; `file` the measures
    of the run's subjects, and where it is not there, nothing is said.
    """
    run = _read_measures(file)
    found, copies = {}, find_copies(measured, file)
    for _, row in measured.iterrows() if len(run) else ():
        if copy := copies.get(row["subject"]):
            said = f"It measures as {copy} does, of the run itself: if it is the same image, this is no test result."
            found[row["subject"]] = [said]
            continue
        sentences = [*(_judge_alone(row, run, measure) for measure in measures), _judge_together(row, run, group)]
        if sentences := [sentence for sentence in sentences if sentence]:
            found[row["subject"]] = sentences
    return found


def find_copies(measured: pd.DataFrame, file: Path) -> dict[str, str]:
    """By subject that one of a run's subjects whose measures it has all, as the same image under any name does."""
    run, found = _read_measures(file), {}
    for _, row in measured.iterrows() if len(run) else ():
        numbers = [column for column in run.columns.drop("subject") if pd.notna(row[column])]
        same = np.isclose(run[numbers].astype(float), row[numbers].astype(float), rtol=1e-6, atol=1e-9).all(axis=1)
        if numbers and same.any():
            found[row["subject"]] = run["subject"][same].iloc[0]
    return found


def _read_measures(file: Path) -> pd.DataFrame:
    return pd.read_csv(file, dtype={"subject": str}) if file.exists() else pd.DataFrame({"subject": []})


def _judge_alone(row: pd.Series, run: pd.DataFrame, measure: Measure) -> str:
    """A sentence where a measure departs, else nothing."""
    values, value = run[measure.column].dropna().to_numpy(dtype=float), float(row[measure.column])
    n, is_within = len(values), len(values) == 0 or values.min() <= value <= values.max()
    if n < LEAST_SUBJECTS or is_within or np.isnan(value):
        return ""
    scaled = measure.scale(values)
    distance = abs(measure.scale(np.array(value)) - scaled.mean())
    if distance <= stats.t.ppf(1 - RARE / 2, n - 1) * scaled.std(ddof=1) * np.sqrt(1 + 1 / n):
        return ""
    shown, low, high = (f"{x:.0f}" if abs(x) >= 100 else f"{x:.2g}" for x in (value, values.min(), values.max()))
    return f"{measure.words.format(shown)}; of the {n} that the run learnt from {low} to {high}."


def _judge_together(row: pd.Series, run: pd.DataFrame, group: Group) -> str:
    """The group's sentence where its measures depart, else nothing."""
    columns = list(group.columns)
    values, value = run[columns].dropna().to_numpy(dtype=float), row[columns].to_numpy(dtype=float)
    (n, size) = values.shape
    if n < 3 * size or np.isnan(value).any():
        return ""
    away = value - values.mean(axis=0)
    squared = away @ np.linalg.pinv(np.cov(values.T)) @ away * n / (n + 1)
    is_rare = stats.f.sf(squared * (n - size) / (size * (n - 1)), size, n - size) < RARE
    return group.sentence.format(n=n) if is_rare else ""
