"""From the subjects found to those tested: how many fell out on the way, and why."""

import re

import pandas as pd

from glioma_idh import runs as files
from glioma_idh.cohorts.table import UNLABELLED
from glioma_idh.errors import InputError
from glioma_idh.reporting.tables.cells import first_few

MOST_NAMED = 12


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
        (reason, len(alike), first_few(sorted(alike["subject"]), MOST_NAMED), alike["advice"].iloc[0])
        for reason, alike in first.groupby(reasons(first))
    ]
    table = pd.DataFrame(rows, columns=["reason", "subjects", "who", "what to do"])
    return table.sort_values("subjects", ascending=False, kind="stable", ignore_index=True).astype(str)
