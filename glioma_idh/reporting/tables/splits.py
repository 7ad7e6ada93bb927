"""How the patients were parted: each split's numbers, the table's hash, and that nobody is on both sides."""

import hashlib
from pathlib import Path

import pandas as pd

from glioma_idh import runs as files
from glioma_idh.cohorts.table import PATHS
from glioma_idh.errors import InputError
from glioma_idh.evaluation.checks import because
from glioma_idh.reporting.figures.canvas import named_splits
from glioma_idh.reporting.tables.cells import first_few

COLUMNS = ["repeat", "split", "subject", "part"]
PARTS = {"train": "trained on", "test": "tested"}
MOST_NAMED = 3


def splits_sheet(splits: pd.DataFrame, cohort: pd.DataFrame) -> pd.DataFrame:
    """Subjects, patients and mutant patients of each split's two parts; InputError: a subject has no row in cohort."""
    rows, people = [], _with_patients(splits, cohort)
    names = [name for name, _ in named_splits(people[people["part"] == "test"])]
    for name, (_, split) in zip(names, people.groupby(["repeat", "split"]), strict=True):
        row = {"split": name}
        for part, words in PARTS.items():
            inside = split[split["part"] == part]
            row[f"{words}: subjects"] = str(len(inside))
            row[f"{words}: patients"] = str(inside["patient"].nunique())
            row[f"{words}: IDH-mutant patients"] = str(inside.loc[inside["idh"] == 1, "patient"].nunique())
        rows.append(row)
    return pd.DataFrame(rows)


def splits_hash(splits: pd.DataFrame) -> str:
    """The first 12 characters of the splits' sha256, whatever the order of rows and columns.

    Hashed is a line `repeat,split,subject,part` a row, sorted, each ended by a line feed, in UTF-8.
    """
    lines = sorted(f"{row.repeat},{row.split},{row.subject},{row.part}\n" for row in splits.itertuples())
    return hashlib.sha256("".join(lines).encode()).hexdigest()[:12]


def patients_check(splits: pd.DataFrame, cohort: pd.DataFrame) -> str:
    """Whether any patient, with whatever scans, stands in training and test of one split, in a sentence."""
    people = _with_patients(splits, cohort)
    parts = people.groupby(["repeat", "split", "patient"])["part"].nunique()
    both = sorted(parts[parts > 1].index.get_level_values("patient").unique())
    num_splits = len(people.groupby(["repeat", "split"]))
    checked = f"checked for {num_splits} split{'s' if num_splits > 1 else ''} of {people['patient'].nunique()} patients"
    if both:
        stands, named = "patients stand" if len(both) > 1 else "patient stands", first_few(both, MOST_NAMED)
        return f"LEAK: {len(both)} {stands} in training and test of one split ({named}); {checked}."
    return f"No patient stands in training and test of one split: {checked}."


def scans_check(cohort: pd.DataFrame) -> str:
    """Whether one scan stands under two subjects' names, as far as the cohort table can tell, in a sentence.

    Told by the images' paths, and by the name of the prepared scans, a hash of their content, where there is one.
    """
    columns = [column for column in (*PATHS, "prepared") if column in cohort]
    files = cohort.melt("subject", columns, value_name="file").replace("", None).dropna(subset="file")
    if files.empty:
        return f"Whether one scan stands under two names {because('the cohort table names no files')}."
    hashed = files["variable"] == "prepared"
    files["file"] = files["file"].where(~hashed, files["file"].map(lambda path: Path(path).name))
    alike = files.groupby("file")["subject"].agg(lambda subjects: tuple(sorted(set(subjects))))
    twice = sorted({" and ".join(subjects) for subjects in alike[alike.map(len) > 1]})
    by_content = " and of the scans' content" if hashed.any() else ""
    if twice:
        return f"LEAK: one scan under several names: {first_few(twice, MOST_NAMED)}; see the cohort table."
    told = f"told by the paths of {(~hashed).sum()} images{by_content}"
    return f"No scan stands under two names: {told}, {cohort['subject'].nunique()} subjects."


def _with_patients(splits: pd.DataFrame, cohort: pd.DataFrame) -> pd.DataFrame:
    """The splits with the patient and the status of each subject."""
    people = splits[COLUMNS].merge(cohort[["subject", "patient", "idh"]], "left", "subject")
    unknown = people.loc[people["patient"].isna(), "subject"]
    if len(unknown):
        found = f"no {unknown.iloc[0]}"
        raise InputError("the subjects of the splits in the cohort table", found, "Take both of one run.", files.COHORT)
    return people
