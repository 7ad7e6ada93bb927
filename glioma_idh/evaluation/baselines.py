"""Fit baselines without imaging networks (age, sex, lesion volume, grade) on the same splits as the network."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.dummy import DummyClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from glioma_idh.evaluation import checks
from glioma_idh.evaluation.comparisons import Comparison, compare_auc, holm
from glioma_idh.evaluation.metrics import SPLIT

WORDS, NUMBERS = ["grade", "sex"], ["age_years", "lesion_ml"]  # columns of the cohort table
BASELINES = {  # name -> columns used, in the order in which they are known clinically
    "majority": [],
    "age": ["age_years"],
    "sex": ["sex"],
    "age + sex": ["age_years", "sex"],
    "lesion volume": ["lesion_ml"],
    "age + lesion volume": ["age_years", "lesion_ml"],
    "grade": ["grade"],
    "grade + age": ["grade", "age_years"],
    "grade + lesion volume": ["grade", "lesion_ml"],
    "grade + age + lesion volume": ["grade", "age_years", "lesion_ml"],
}
BEFORE, IMAGE, AFTER = "before surgery, without imaging", "from the image, without a network", "after surgery"
STAGES = {  # when the columns of a baseline are known clinically; grade needs tissue
    name: AFTER if "grade" in columns else IMAGE if "lesion_ml" in columns else BEFORE
    for name, columns in BASELINES.items()
}


class Baseline(NamedTuple):
    """The predictions table of one baseline; without rows if there is a reason why it is not available."""

    predictions: pd.DataFrame
    reason: str = ""


def baseline_predictions(
    cohort: pd.DataFrame, splits: pd.DataFrame, names: Iterable[str] = tuple(BASELINES)
) -> dict[str, Baseline]:
    """Fit baselines to the training subjects of every split, and apply them to its test subjects.

    The baseline "majority" predicts the larger class of the training subjects, 1 or 0. The others are logistic
    regressions (L2, C = 1) on grade and sex (one-hot encoded) and on age and volume (standardised). Missing values are
    replaced by the most frequent value or the median of the training subjects. Subjects without IDH status are left
    out. Scores of different splits are not comparable.

    Args:
        cohort: cohort table.
        splits: splits table.
        names: names of BASELINES.

    Returns:
        The result by name of the baseline. A baseline is not available if one of its columns is missing, empty or
        constant, or if a training set has only one class or one value of a column.

    Raises:
        ValueError: a table is invalid, or a patient is in the training and test set of the same split.
    """
    checks.check_columns(cohort, ["subject", "patient", "idh"], "cohort table")
    checks.check_columns(splits, ["subject", "repeat", "split", "part"], "splits")
    checks.check_once(splits, "parts")
    checks.check_one_row_a_subject(cohort)
    unknown = splits.loc[~splits["subject"].isin(cohort["subject"]), "subject"].unique()
    if len(unknown):
        found = f"no row for {unknown[0]} ({len(unknown)} such subjects in all)"
        raise ValueError(f"expected the subjects of the splits in the cohort table; found {found}")
    columns = {"subject": cohort["subject"], "patient": cohort["patient"], "truth": _numbers(cohort, "idh")}
    columns |= {column: _numbers(cohort, column) for column in NUMBERS if column in cohort}
    columns |= {column: _words(cohort, column) for column in WORDS if column in cohort}
    rows = splits.merge(pd.DataFrame(columns), on="subject")
    both = rows.groupby([*SPLIT, "patient"])["part"].transform("nunique") > 1
    if both.any():
        row = rows[both].iloc[0]
        found = f"patient {row['patient']} in both in repeat {row['repeat']}, split {row['split']}"
        raise ValueError(f"expected each patient in either the training or the test set; found {found}")
    rows = rows.dropna(subset="truth").astype({"truth": int})
    if not (rows["part"] == "test").any():
        raise ValueError("expected test subjects with an IDH status; found none")
    baselines = {}
    for name in names:
        reason = _why_not(rows, BASELINES[name])
        if reason:
            baselines[name] = Baseline(rows.iloc[:0].reindex(columns=checks.COLUMNS), checks.because(reason))
        else:
            tested = [_test_split(split, BASELINES[name]) for _, split in rows.groupby(SPLIT)]
            baselines[name] = Baseline(pd.concat(tested, ignore_index=True))
    return baselines


def compare_with_baselines(
    predictions: pd.DataFrame, baselines: dict[str, Baseline], level: float = 0.95
) -> dict[str, Comparison]:
    """Compare the AUC of a network with that of each baseline on the same patients (`compare_auc`).

    The p values are corrected after Holm over all baselines except the majority class, whose AUC is always 0.5. The
    intervals are not corrected for multiple comparisons.
    """
    checks.check_predictions(predictions)
    comparisons = {
        name: Comparison(np.nan, np.nan, np.nan, np.nan, reason) if reason else compare_auc(predictions, table, level)
        for name, (table, reason) in baselines.items()
    }
    return comparisons | holm({name: of for name, of in comparisons.items() if name != "majority"})


def _words(cohort: pd.DataFrame, column: str) -> pd.Series:
    """Convert cells to text; missing values are NaN."""
    return checks.as_text(cohort[column]).astype(object).where(lambda text: text != "")


def _numbers(cohort: pd.DataFrame, column: str) -> pd.Series:
    """Convert cells to numbers of at least 0 (an IDH status to 0 or 1); missing values are NaN."""
    text = _words(cohort, column)
    numbers = pd.to_numeric(text, errors="coerce").astype(float)
    right, expected = np.isfinite(numbers) & (numbers >= 0), "a number of at least 0, or empty"
    if column == "idh":
        right, expected = numbers.isin((0, 1)), "0, 1 or empty"
    wrong = text.notna() & ~right
    if wrong.any():
        found = f"{text[wrong].iloc[0]!r} for {cohort.loc[wrong, 'subject'].iloc[0]}"
        raise ValueError(f"expected {column} as {expected}; found {found}")
    return numbers


def _why_not(rows: pd.DataFrame, columns: list[str]) -> str:
    """Return why a baseline with these columns is not available; "" if it is."""
    for column in columns:
        if column not in rows or rows[column].isna().all():
            return f"the cohort has no {column}"
        if rows[column].nunique() == 1:
            return f"{column} has only one value, {rows[column].dropna().iloc[0]}"
    training = rows[rows["part"] == "train"].groupby(SPLIT)
    for repeat, split in rows[rows["part"] == "test"].groupby(SPLIT).groups:
        where = f"the training set of repeat {repeat}, split {split}"
        if (repeat, split) not in training.groups:
            return f"{where} is empty"
        part = training.get_group((repeat, split))
        for column in ["truth", *columns]:
            if part[column].nunique() < 2:
                return f"{where} has fewer than two values of {column.replace('truth', 'IDH status')}"
    return ""


def _test_split(split: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Fit a model to the training subjects of one split, and return the predictions of its test subjects."""
    train, test = split[split["part"] == "train"], split[split["part"] == "test"]
    if test.empty:
        return test.reindex(columns=checks.COLUMNS)
    words = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore"))
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    transformer = make_column_transformer(
        (words, [column for column in columns if column in WORDS]),
        (numbers, [column for column in columns if column in NUMBERS]),
    )
    regression = make_pipeline(transformer, LogisticRegression(solver="newton-cholesky"))  # exact for few columns
    model = regression if columns else DummyClassifier(strategy="most_frequent")
    model.fit(train[columns], train["truth"])
    return test.assign(score=model.predict_proba(test[columns])[:, 1])[checks.COLUMNS]
