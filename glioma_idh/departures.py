"""Find new subjects whose images differ from the training cohort, by image measures kept in the run folder."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

RARE = 0.001  # false positive rate of each measure, and of the group of measures
LEAST_SUBJECTS = 8  # of a run, to judge one measure; for a group, three times the number of its measures


class Measure(NamedTuple):
    """An image measure that is judged alone."""

    column: str  # of the table of measures
    words: str  # description, with `{}` in the place of the value
    scale: Callable[[np.ndarray], np.ndarray] = np.asarray  # transformation to an approximately normal distribution


class Group(NamedTuple):
    """Image measures that are judged together."""

    columns: tuple[str, ...]  # of the table of measures
    sentence: str  # said of a subject that departs, with `{n}` for the number of subjects of the run


def log_odds(share: np.ndarray | float) -> np.ndarray:
    """Return the log-odds of proportions, clipped to 0.01 and 0.99."""
    share = np.clip(share, 0.01, 0.99)
    return np.log(share / (1 - share))


def find_departures(measured: pd.DataFrame, file: Path, measures: tuple[Measure, ...], group: Group) -> dict:
    """Describe how new subjects differ from the subjects of a run: sentences by subject, for those with any.

    A single measure departs if it is outside the range of the run's subjects and outside the 99.9 % prediction interval
    (t distribution). A group departs by Hotelling's T2 for one new subject, at the same level. If all measures equal
    those of one of the run's subjects, it may be the same image; then only this is reported.

    Args:
        measured: one row per new subject, with the column `subject` and the measures, NaN if not available.
        file: table of the run's measures; without this file the result is empty.
        measures, group: what is judged.
    """
    run = _read_measures(file)
    found, copies = {}, find_copies(measured, file)
    for _, row in measured.iterrows() if len(run) else ():
        if copy := copies.get(row["subject"]):
            sentence = f"All image measures equal those of {copy} in the training cohort."
            found[row["subject"]] = [f"{sentence} If it is the same image, its score is not a test result."]
            continue
        sentences = [*(_judge_alone(row, run, measure) for measure in measures), _judge_together(row, run, group)]
        if sentences := [sentence for sentence in sentences if sentence]:
            found[row["subject"]] = sentences
    return found


def find_copies(measured: pd.DataFrame, file: Path) -> dict[str, str]:
    """Find subjects with the same measures as one of the run's, as copies of an image have; returns that one's name."""
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
    """Return a sentence if a measure departs, else an empty text."""
    values, value = run[measure.column].dropna().to_numpy(dtype=float), float(row[measure.column])
    n, is_within = len(values), len(values) == 0 or values.min() <= value <= values.max()
    if n < LEAST_SUBJECTS or is_within or np.isnan(value):
        return ""
    scaled = measure.scale(values)
    distance = abs(measure.scale(np.array(value)) - scaled.mean())
    if distance <= stats.t.ppf(1 - RARE / 2, n - 1) * scaled.std(ddof=1) * np.sqrt(1 + 1 / n):
        return ""
    shown, low, high = (f"{x:.0f}" if abs(x) >= 100 else f"{x:.2g}" for x in (value, values.min(), values.max()))
    return f"Unusual {measure.words.format(shown)}; range in the training cohort {low} to {high} ({n} subjects)."


def _judge_together(row: pd.Series, run: pd.DataFrame, group: Group) -> str:
    """Return the sentence of a group if its measures depart, else an empty text."""
    columns = list(group.columns)
    values, value = run[columns].dropna().to_numpy(dtype=float), row[columns].to_numpy(dtype=float)
    (n, size) = values.shape
    if n < 3 * size or np.isnan(value).any():
        return ""
    away = value - values.mean(axis=0)
    squared = away @ np.linalg.pinv(np.cov(values.T)) @ away * n / (n + 1)
    is_rare = stats.f.sf(squared * (n - size) / (size * (n - 1)), size, n - size) < RARE
    return group.sentence.format(n=n) if is_rare else ""
