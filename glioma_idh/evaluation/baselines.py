"""Baselines: age, sex, lesion volume and grade, cross-validated on the network's own splits."""

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
BASELINES = {  # what each reads, in the order in which a clinic knows it
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
STAGES = {  # when a clinic knows what a baseline reads; grade needs tissue
    name: AFTER if "grade" in columns else IMAGE if "lesion_ml" in columns else BEFORE
    for name, columns in BASELINES.items()
}


class Baseline(NamedTuple):
    """Predictions table of one baseline; without rows where there is a reason for no scores."""

    predictions: pd.DataFrame
    reason: str = ""


def baseline_predictions(cohort: pd.DataFrame, splits: pd.DataFrame, names=tuple(BASELINES)) -> dict[str, Baseline]:
    """Each of the named BASELINES, fitted to every split's training subjects and applied to its test subjects.

    The majority is the larger class of the training subjects, 1 or 0. The others are logistic regressions (L2, C = 1)
    on grade and sex, one column per value, and on age and volume, standardised; a missing value is replaced by the
    training subjects' most frequent value or median. Subjects without an IDH status are left out.

    A score is that of its own split's model alone, so that no label of a test subject enters. Scores of different
    splits are not comparable. By the baseline's name; the reason instead of scores where a column is missing, empty or
    the same for all, or a training part has one class, or one value of a column, alone. A ValueError also where a
    patient is trained on and tested in one split.
    """
    checks.check_columns(cohort, ["subject", "patient", "idh"], "cohort table")
    checks.check_columns(splits, ["subject", "repeat", "split", "part"], "splits")
    checks.check_once(splits, "parts")
    checks.check_one_row_a_subject(cohort)
    unknown = splits.loc[~splits["subject"].isin(cohort["subject"]), "subject"].unique()
    if len(unknown):
        found = f"no {unknown[0]}, {len(unknown)} such"
        raise ValueError(f"expected the splits' subjects in the cohort table; found {found}")
    columns = {"subject": cohort["subject"], "patient": cohort["patient"], "truth": _numbers(cohort, "idh")}
    columns |= {column: _numbers(cohort, column) for column in NUMBERS if column in cohort}
    columns |= {column: _words(cohort, column) for column in WORDS if column in cohort}
    rows = splits.merge(pd.DataFrame(columns), on="subject")
    both = rows.groupby([*SPLIT, "patient"])["part"].transform("nunique") > 1
    if both.any():
        row = rows[both].iloc[0]
        found = f"patient {row['patient']} in both of repeat {row['repeat']}, split {row['split']}"
        raise ValueError(f"expected each patient in train or in test; found {found}")
    rows = rows.dropna(subset="truth").astype({"truth": int})
    if not (rows["part"] == "test").any():
        raise ValueError("expected subjects with an IDH status among those tested; found none")
    baselines = {}
    for name in names:
        reason = _why_not(rows, BASELINES[name])
        if reason:
            baselines[name] = Baseline(rows.iloc[:0].reindex(columns=checks.COLUMNS), checks.because(reason))
        else:
            tested = [_test_split(split, BASELINES[name]) for _, split in rows.groupby(SPLIT)]
            baselines[name] = Baseline(pd.concat(tested, ignore_index=True))
    return baselines


def compare_with_baselines(predictions, baselines: dict, level: float = 0.95) -> dict[str, Comparison]:
    """AUC of a network less that of each baseline on the same patients, by `compare_auc`.

    p is after Holm over all but the majority, which orders no pair; intervals are of one difference at a time.
    """
    checks.check_predictions(predictions)
    comparisons = {
        name: Comparison(np.nan, np.nan, np.nan, np.nan, reason) if reason else compare_auc(predictions, table, level)
        for name, (table, reason) in baselines.items()
    }
    return comparisons | holm({name: of for name, of in comparisons.items() if name != "majority"})


def _words(cohort: pd.DataFrame, column: str) -> pd.Series:
    """Cells as text, NaN where there is none."""
    return checks.as_text(cohort[column]).astype(object).where(lambda text: text != "")


def _numbers(cohort: pd.DataFrame, column: str) -> pd.Series:
    """Cells as numbers of at least 0, an IDH status as 0 or 1, NaN where there is none."""
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
    """Why a baseline on these columns cannot be learnt; "" where it can."""
    for column in columns:
        if column not in rows or rows[column].isna().all():
            return f"the cohort has no {column}"
        if rows[column].nunique() == 1:
            return f"{column} is the same, {rows[column].dropna().iloc[0]}, wherever it is known"
    training = rows[rows["part"] == "train"].groupby(SPLIT)
    for (repeat, split), test in rows[rows["part"] == "test"].groupby(SPLIT):
        where = f"the training part of repeat {repeat}, split {split}"
        if (repeat, split) not in training.groups:
            return f"{where} is empty, {len(test)} being tested"
        part = training.get_group((repeat, split))
        for column in ["truth", *columns]:
            if part[column].nunique() < 2:
                return f"{where} has fewer than two kinds of {column}"
    return ""


def _test_split(split: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """The predictions of one split's test subjects by a model of its training subjects."""
    train, test = split[split["part"] == "train"], split[split["part"] == "test"]
    if test.empty:
        return test.reindex(columns=checks.COLUMNS)
    words = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore"))
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    transformer = make_column_transformer(
        (words, [column for column in columns if column in WORDS]),
        (numbers, [column for column in columns if column in NUMBERS]),
    )
    regression = make_pipeline(transformer, LogisticRegression(solver="newton-cholesky"))  # exact, of few columns
    model = regression if columns else DummyClassifier(strategy="most_frequent")
    model.fit(train[columns], train["truth"])
    return test.assign(score=model.predict_proba(test[columns])[:, 1])[checks.COLUMNS]
