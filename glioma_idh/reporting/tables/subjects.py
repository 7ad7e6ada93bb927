"""From the subjects found to those tested: who fell out on the way and why, and how the others were parted."""

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

MOST_EXCLUDED, MOST_LEAKS = 12, 3  # that are named


def flow_counts(
    cohort: pd.DataFrame, exclusions: pd.DataFrame, splits: pd.DataFrame | None, predictions: pd.DataFrame
) -> dict:
    """How many subjects were found, set aside, used and tested; `splits` is None of an external test.

    Returns:
        `found` = used and excluded; `excluded`: number by reason in words, the first of a subject, the most frequent
        first; `used` = `mutant` and `wild_type` and `unlabelled`; `tested`: who has a prediction; `never_tested`: who
        has a label and none. InputError: somebody whom a split tests has no prediction.
    """
    tested = set(predictions["subject"])
    missing = [] if splits is None else sorted(set(splits.loc[splits["part"] == "test", "subject"]) - tested)
    if missing:
        advice = "Delete its metrics.json and run the same command again: what is missing is made anew."
        raise InputError("a prediction of everybody tested", f"none of {missing[0]}", advice, files.PREDICTIONS)
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
    """Why each subject was set aside, in words by the table's index, such as `no scan in column t1`.

    Where subjects failed alike but for what was found, that is left out.
    """
    varied = exclusions.groupby("expected")["found"].transform("nunique") > 1
    words = []
    for expected, found, several in zip(exclusions["expected"], exclusions["found"], varied, strict=True):
        if found in ("none", "no file"):
            words.append(f"no {re.sub('^(an?|the) ', '', expected)}")
        elif found == UNLABELLED:
            words.append("IDH status not known")
        else:
            words.append(f"expected {expected}" if several else f"expected {expected}; found {found}")
    return pd.Series(words, exclusions.index, dtype=str)


def exclusions_sheet(exclusions: pd.DataFrame) -> pd.DataFrame:
    """Who was set aside, to show: `reason, subjects` (how many), `who, what to do`; the most frequent reason first."""
    first = exclusions.drop_duplicates("subject")
    rows = [
        (reason, len(alike), first_few(sorted(alike["subject"]), MOST_EXCLUDED), alike["advice"].iloc[0])
        for reason, alike in first.groupby(reasons(first))
    ]
    table = pd.DataFrame(rows, columns=["reason", "subjects", "who", "what to do"])
    return table.sort_values("subjects", ascending=False, kind="stable", ignore_index=True).astype(str)


def splits_sheet(splits: pd.DataFrame, cohort: pd.DataFrame) -> pd.DataFrame:
    """Subjects, patients and mutant patients of each split's two parts; InputError: a subject has no row in cohort."""
    rows, people = [], _with_patients(splits, cohort)
    names = [name for name, _ in named_splits(people[people["part"] == "test"])]
    for name, (_, split) in zip(names, people.groupby(["repeat", "split"]), strict=True):
        row = {"split": name}
        for part, words in (("train", "trained on"), ("test", "tested")):
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
        stands, named = "patients stand" if len(both) > 1 else "patient stands", first_few(both, MOST_LEAKS)
        return f"LEAK: {len(both)} {stands} in training and test of one split ({named}); {checked}."
    return f"No patient stands in training and test of one split: {checked}."


def scans_check(cohort: pd.DataFrame) -> str:
    """Whether one scan stands under two subjects' names, as far as the cohort table can tell, in a sentence.

    Told by the images' paths, and by the name of the prepared scans, a hash of their content, where there is one.
    """
    columns = [column for column in (*PATHS, "prepared") if column in cohort]
    paths = cohort.melt("subject", columns, value_name="file").replace("", None).dropna(subset="file")
    if paths.empty:
        return f"Whether one scan stands under two names {because('the cohort table names no files')}."
    hashed = paths["variable"] == "prepared"
    paths["file"] = paths["file"].where(~hashed, paths["file"].map(lambda path: Path(path).name))
    alike = paths.groupby("file")["subject"].agg(lambda subjects: tuple(sorted(set(subjects))))
    twice = sorted({" and ".join(subjects) for subjects in alike[alike.map(len) > 1]})
    by_content = " and of the scans' content" if hashed.any() else ""
    if twice:
        return f"LEAK: one scan under several names: {first_few(twice, MOST_LEAKS)}; see the cohort table."
    told = f"told by the paths of {(~hashed).sum()} images{by_content}"
    return f"No scan stands under two names: {told}, {cohort['subject'].nunique()} subjects."


def _with_patients(splits: pd.DataFrame, cohort: pd.DataFrame) -> pd.DataFrame:
    """The splits with the patient and the status of each subject."""
    rows = splits[["repeat", "split", "subject", "part"]]
    people = rows.merge(cohort[["subject", "patient", "idh"]], "left", "subject")
    unknown = people.loc[people["patient"].isna(), "subject"]
    if len(unknown):
        found = f"no {unknown.iloc[0]}"
        raise InputError("the subjects of the splits in the cohort table", found, "Take both of one run.", files.COHORT)
    return people
