"""Whether a training command goes on with a run that is there; where its labels have changed, whose."""

from pathlib import Path

import pandas as pd

from glioma_idh import pipeline, runs
from glioma_idh.cohorts.cells import parse_idh
from glioma_idh.cohorts.table import UNLABELLED
from glioma_idh.errors import InputError

SHEETS = {"cohort_sha256", "labels_sha256"}
STATUS = {"0": "wild-type", "1": "mutant", "": "not known"}
SHOWN = 5


def find_run(recipe, job, wanted: dict, defaults: dict | None = None) -> bool:
    """As `runs.find_run`; where nothing but the content of a sheet differs, the message says whose labels do.

    Args:
        recipe: of the run.
        job: of the run, with its folder.
        wanted: as `pipeline.identity` gives it.
        defaults: as `runs.find_run` takes them.

    Raises:
        InputError: the folder holds another run, or something else.
    """
    names = set(runs.differing_settings(job.run_dir, wanted, defaults))
    if names and names <= SHEETS:
        sheets = {"cohort_sha256": recipe.cohort, "labels_sha256": job.labels}
        changed = " and ".join(Path(sheets[name]).name for name in sorted(names) if sheets[name])
        found = f"another content of {changed or 'none'}: {_changed_labels(recipe, job)}"
        advice = "Put the former content back, or name another --run-dir."
        raise InputError("the sheet of labels that the run began with", found, advice, file=job.run_dir)
    return runs.find_run(job.run_dir, wanted, defaults)


def _changed_labels(recipe, job) -> str:
    """Whose IDH status is another than when the run began, of the first few, and how many they are."""
    if not (job.run_dir / runs.COHORT).exists():
        return "whose labels differ is not known, as nobody was prepared"
    before = runs.read_table(job.run_dir / runs.COHORT).set_index("subject")["idh"]
    before = before.map({0: STATUS["0"], 1: STATUS["1"]}).fillna(STATUS[""])
    exclusions = runs.read_table(job.run_dir / runs.EXCLUSIONS)
    unknown = exclusions["subject"][exclusions["found"] == UNLABELLED]
    before = pd.concat([before, pd.Series(STATUS[""], index=unknown, dtype=str)])
    cohort = pipeline.read_training_cohort(recipe, job, (), quiet=True)
    now = cohort.drop_duplicates("subject").set_index("subject")["idh"].map(_status)
    new = cohort["subject"][~cohort["subject"].isin([*before.index, *exclusions["subject"]])]
    gone = before.index.difference(cohort["subject"], sort=False)
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
