"""Where the labels of a run have changed since it began: whose."""

from pathlib import Path

import pandas as pd

from glioma_idh import runs
from glioma_idh.cohorts.cells import parse_idh
from glioma_idh.cohorts.table import UNLABELLED
from glioma_idh.errors import InputError
from glioma_idh.training.cohort import TrainingCohort

SHEETS = {"cohort_sha256", "labels_sha256"}
STATUS = {"0": "wild-type", "1": "mutant", "": "not known"}
SHOWN = 5


def refuse_changed_labels(folder: Path, key: dict, cohort: TrainingCohort, former: dict) -> None:
    """Refuse a run that differs in nothing but the content of a sheet, and say whose labels differ.

    Args:
        folder: of the run.
        key: as `run_key` gives it.
        cohort: to train on.
        former: what settings that are younger than a run were in it.

    Raises:
        InputError: it is such a run.
    """
    names = set(runs.differing_settings(folder, key, former))
    if names and names <= SHEETS:
        sheets = {"cohort_sha256": cohort.recipe.cohort, "labels_sha256": cohort.job.labels}
        changed = " and ".join(Path(sheets[name]).name for name in sorted(names) if sheets[name])
        found = f"another content of {changed or 'none'}: {_changed_labels(folder, cohort)}"
        advice = "Put the former content back, or name another --run-dir."
        raise InputError("the sheet of labels that the run began with", found, advice, file=folder)


def _changed_labels(folder: Path, cohort: TrainingCohort) -> str:
    """Whose IDH status is another than when the run began, of the first few, and how many they are."""
    if not (folder / runs.COHORT).exists():
        return "whose labels differ is not known, as nobody was prepared"
    before = runs.read_table(folder / runs.COHORT).set_index("subject")["idh"]
    before = before.map({0: STATUS["0"], 1: STATUS["1"]}).fillna(STATUS[""])
    exclusions = runs.read_table(folder / runs.EXCLUSIONS)
    unknown = exclusions["subject"][exclusions["found"] == UNLABELLED]
    before = pd.concat([before, pd.Series(STATUS[""], index=unknown, dtype=str)])
    table = cohort.table
    now = table.drop_duplicates("subject").set_index("subject")["idh"].map(_status)
    new = table["subject"][~table["subject"].isin([*before.index, *exclusions["subject"]])]
    gone = before.index.difference(table["subject"], sort=False)
    now = now[before.index.drop(gone)]
    differ = now.index[now != before[now.index]]
    shown = [f"{subject} {before[subject]} -> {now[subject]}" for subject in differ[:SHOWN]]
    more = " ..." if len(differ) > SHOWN else ""
    labels = f"{len(differ)} labels differ ({', '.join(shown)}{more})" if shown else "no label differs"
    counts = [
        f"{len(names)} subjects are {what} ({', '.join(names[:SHOWN])}{' ...' if len(names) > SHOWN else ''})"
        for what, names in {"new": new, "gone": gone}.items()
        if len(names)
    ]
    return "; ".join([labels, *counts]) if shown or counts else f"{labels}, other columns do"


def _status(cell: str) -> str:
    """A cell of a sheet in words; as it stands where it cannot be read."""
    try:
        return STATUS[parse_idh(cell)]
    except ValueError:
        return repr(cell)
