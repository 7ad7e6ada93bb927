"""Subjects found, excluded, used and tested; tables of exclusions and splits; checks for leaks between splits."""

import hashlib
import re
from pathlib import Path

import pandas as pd

from glioma_idh import runs as files
from glioma_idh.cohorts.table import PATHS, UNLABELLED
from glioma_idh.errors import InputError
from glioma_idh.evaluation.checks import because
from glioma_idh.reporting.figures.canvas import named_splits
from glioma_idh.reporting.tables.cells import first_few

MOST_EXCLUDED, MOST_LEAKS = 12, 3  # number of names that are listed


def flow_counts(
    cohort: pd.DataFrame, exclusions: pd.DataFrame, splits: pd.DataFrame | None, predictions: pd.DataFrame
) -> dict:
    """Count the subjects found, excluded, used and tested; `splits` is None for an external test.

    Returns:
        `found` = used + excluded; `excluded`: number of subjects by reason in words, most frequent first, each subject
        under its first reason; `used` = `mutant` + `wild_type` + `unlabelled`; `tested`: subjects with a prediction;
        `never_tested`: labelled subjects without one.

    Raises:
        InputError: a subject in the test set of a split has no prediction.
    """
    tested = set(predictions["subject"])
    missing = [] if splits is None else sorted(set(splits.loc[splits["part"] == "test", "subject"]) - tested)
    if missing:
        advice = "Delete metrics.json of the run and repeat its command: missing predictions are then computed."
        raise InputError("a prediction for every tested subject", f"none for {missing[0]}", advice, files.PREDICTIONS)
    first = exclusions.drop_duplicates("subject")
    labelled = cohort[cohort["idh"].notna()]
    return {
        "found": len(cohort) + len(first),
        "excluded": {str(reason): int(n) for reason, n in reasons(first).value_counts(sort=True).items()},
        "used": len(cohort),
        "mutant": int((labelled["idh"] == 1).sum()),
        "wild_type": int((labelled["idh"] == 0).sum()),
        "unlabelled": len(cohort) - len(labelled),
        "tested": len(tested),
        "never_tested": len(set(labelled["subject"]) - tested),
    }


def reasons(exclusions: pd.DataFrame) -> pd.Series:
    """Why each subject was excluded, in words, by the index of the table; for example `no scan in column t1`.

    If subjects with the same expectation differ in what was found, the latter is left out.
    """
    varied = exclusions.groupby("expected")["found"].transform("nunique") > 1
    words = []
    for expected, found, several in zip(exclusions["expected"], exclusions["found"], varied, strict=True):
        if found in ("none", "no file"):
            words.append(f"no {re.sub('^(an?|the) ', '', expected)}")
        elif found == UNLABELLED:
            words.append("IDH status unknown")
        else:
            words.append(f"expected {expected}" if several else f"expected {expected}; found {found}")
    return pd.Series(words, exclusions.index, dtype=str)


def exclusions_sheet(exclusions: pd.DataFrame) -> pd.DataFrame:
    """The exclusions for the report: `reason, number, subjects, what to do`, most frequent reason first."""
    first = exclusions.drop_duplicates("subject")
    rows = [
        (reason, len(alike), first_few(sorted(alike["subject"]), MOST_EXCLUDED), alike["advice"].iloc[0])
        for reason, alike in first.groupby(reasons(first))
    ]
    table = pd.DataFrame(rows, columns=["reason", "number", "subjects", "what to do"])
    return table.sort_values("number", ascending=False, kind="stable", ignore_index=True).astype(str)


def splits_sheet(splits: pd.DataFrame, cohort: pd.DataFrame) -> pd.DataFrame:
    """Subjects, patients and IDH-mutant patients in the training and test set of each split.

    InputError: a subject has no row in `cohort`.
    """
    rows, people = [], _with_patients(splits, cohort)
    names = [name for name, _ in named_splits(people[people["part"] == "test"])]
    for name, (_, split) in zip(names, people.groupby(["repeat", "split"]), strict=True):
        row = {"split": name}
        for part, words in (("train", "training set"), ("test", "test set")):
            inside = split[split["part"] == part]
            row[f"{words}: subjects"] = str(len(inside))
            row[f"{words}: patients"] = str(inside["patient"].nunique())
            row[f"{words}: IDH-mutant patients"] = str(inside.loc[inside["idh"] == 1, "patient"].nunique())
        rows.append(row)
    return pd.DataFrame(rows)


def splits_hash(splits: pd.DataFrame) -> str:
    """The first 12 characters of the SHA-256 of the splits, independent of the order of rows and columns.

    The hash is computed from one line `repeat,split,subject,part` per row, sorted, each ended by a line feed, in UTF-8.
    """
    lines = sorted(f"{row.repeat},{row.split},{row.subject},{row.part}\n" for row in splits.itertuples())
    return hashlib.sha256("".join(lines).encode()).hexdigest()[:12]


def patients_check(splits: pd.DataFrame, cohort: pd.DataFrame) -> str:
    """Say whether any patient (with any of their scans) is in both the training and the test set of a split."""
    people = _with_patients(splits, cohort)
    parts = people.groupby(["repeat", "split", "patient"])["part"].nunique()
    both = sorted(parts[parts > 1].index.get_level_values("patient").unique())
    num_splits = len(people.groupby(["repeat", "split"]))
    checked = f"checked in {num_splits} split{'s' if num_splits > 1 else ''} of {people['patient'].nunique()} patients"
    if both:
        are, named = "patients are" if len(both) > 1 else "patient is", first_few(both, MOST_LEAKS)
        return f"LEAK: {len(both)} {are} in both the training and the test set of a split ({named}); {checked}."
    return f"No patient is in both the training and the test set of a split ({checked})."


def scans_check(cohort: pd.DataFrame) -> str:
    """Say whether one image is used for two subjects, as far as the cohort table shows.

    The check compares the paths of the images and, if available, the names of the cached scans, which are hashes of
    their content.
    """
    columns = [column for column in (*PATHS, "prepared") if column in cohort]
    paths = cohort.melt("subject", columns, value_name="file").replace("", None).dropna(subset="file")
    if paths.empty:
        return f"Whether an image is used twice {because('the cohort table contains no file paths')}."
    hashed = paths["variable"] == "prepared"
    paths["file"] = paths["file"].where(~hashed, paths["file"].map(lambda path: Path(path).name))
    alike = paths.groupby("file")["subject"].agg(lambda subjects: tuple(sorted(set(subjects))))
    twice = sorted({" and ".join(subjects) for subjects in alike[alike.map(len) > 1]})
    by_content = " and the content of the scans" if hashed.any() else ""
    if twice:
        return f"LEAK: an image is used for several subjects: {first_few(twice, MOST_LEAKS)}; see the cohort table."
    compared = f"{(~hashed).sum()} file paths{by_content} compared"
    return f"No image is used twice ({compared}, {cohort['subject'].nunique()} subjects)."


def _with_patients(splits: pd.DataFrame, cohort: pd.DataFrame) -> pd.DataFrame:
    """The splits with the patient and the IDH status of each subject."""
    rows = splits[["repeat", "split", "subject", "part"]]
    people = rows.merge(cohort[["subject", "patient", "idh"]], "left", "subject")
    unknown = people.loc[people["patient"].isna(), "subject"]
    if len(unknown):
        found = f"no {unknown.iloc[0]}"
        advice = "Use the cohort table and the splits of the same run."
        raise InputError("the subjects of the splits in the cohort table", found, advice, files.COHORT)
    return people
