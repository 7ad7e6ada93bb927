"""The cohorts of a training: the training cohort, the external cohort, and excluded subjects."""

from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from glioma_idh import cohorts, departures, runs
from glioma_idh.cohorts.cells import parse_idh
from glioma_idh.cohorts.checks.copies import images_in_both, print_remarks_on_names
from glioma_idh.cohorts.checks.summary import describe_ignored
from glioma_idh.cohorts.shared_patients import nameless, refuse_overlap
from glioma_idh.cohorts.table import UNLABELLED, check_labels, exclusions_table, require_files, require_sequence
from glioma_idh.errors import InputError
from glioma_idh.files import write_table
from glioma_idh.training.job import Job

SHEETS = {"cohort_sha256", "labels_sha256"}
STATUS = {"0": "wild-type", "1": "mutant", "": "not known"}
SHOWN = 5  # reasons, or subjects, named in a message
LISTED = f" (full list: {runs.EXCLUSIONS})"


class TrainingCohort:
    """The cohort that a command trains on. It is read once, on first access.

    `sequences` are those that the built-in synthetic cohort ("phantom") is made with.
    """

    def __init__(self, recipe: Any, job: Job, sequences: Iterable[str] = ()):
        self.recipe, self.job, self.sequences = recipe, job, sequences

    @cached_property
    def _read(self):
        recipe, job = self.recipe, self.job
        settings = {"sequences": self.sequences, "all_visits": recipe.all_visits, "phantom": recipe.phantom}
        return cohorts.read(recipe.cohort, job.images, job.labels, **settings, quiet=job.quiet)

    @property
    def table(self) -> pd.DataFrame:
        """The cohort table."""
        return self._read[0]

    def checked_table(self, sequences: Iterable[str]) -> pd.DataFrame:
        """Return the cohort table after checking that its files exist; prints ignored files and unusual file names."""
        table, ignored = self._read
        require_files(table)
        if ignored:
            print(describe_ignored(ignored))
        print_remarks_on_names(table, sequences)
        return table


def read_external_cohort(cohort: TrainingCohort, sequences: Iterable[str]) -> pd.DataFrame:
    """Read the external cohort; InputError if it lacks a sequence or shares patients with the training cohort."""
    job = cohort.job
    external, _ = cohorts.read(job.external, job.external_images, job.external_labels, sequences=sequences)
    require_files(external, "--external-images")
    print_remarks_on_names(external, sequences)
    if check_labels(external)[0].empty:
        found = f"none among {len(external)}"
        advice = "Give a label sheet with --external-labels."
        raise InputError("labelled subjects in the external cohort", found, advice)
    for sequence in sequences:
        require_sequence(external, sequence)
        refuse_overlap(cohort.table[cohort.table[sequence] != ""], external[external[sequence] != ""])
    if unknown := nameless(cohort.table) + nameless(external):
        print(f"{unknown} subjects have a BraTS id only: whether they are in both cohorts is not known.")
    return external


def refuse_copies(run_dir: Path, table: pd.DataFrame, measured: pd.DataFrame) -> None:
    """Raise an InputError if an image of the external cohort is also in the training cohort, under any name.

    Images are compared by the voxel hashes in `table`, and by their measures, `measured`, which find rescaled copies.
    """
    copies = departures.find_copies(measured, run_dir / runs.MEASURES)
    both = {here: f"{there} is {here}" for here, there in copies.items()}
    both |= images_in_both(runs.read_table(run_dir / runs.COHORT), table)
    if both:
        found = f"{len(both)} in both ({'; '.join(list(both.values())[:3])}{' ...' if len(both) > 3 else ''})"
        advice = "Remove these subjects from the external cohort."
        raise InputError("no image of the training cohort in the external cohort", found, advice)


def report_exclusions(errors: list, num_subjects: int, strict: bool = False, listed: str = LISTED) -> None:
    """Print the number of excluded subjects and one line per reason; `listed` says where the full list is.

    If `strict`, raises the first error instead, except for an unknown IDH status.
    """
    serious = [error for error in errors if error.found != UNLABELLED]
    if strict and serious:
        raise serious[0]
    if errors:
        print(f"{len(errors)} of {num_subjects} subjects are excluded{listed}:")
        alike = defaultdict(list)
        for error in errors:
            alike[error.expected, error.found].append(error)
        for first, *others in list(alike.values())[:SHOWN]:
            print(f"  {first}" + (f" ({len(others)} more for the same reason)" if others else ""))


def require_labelled(table: pd.DataFrame, errors: list[InputError], num_subjects: int) -> None:
    """Raise an InputError if no subject has an IDH status; prints the reasons before."""
    if table["idh"].notna().any():
        return
    report_exclusions(errors, num_subjects, listed="")
    advice = "The reasons are listed above."
    if len(table) or any(error.found == UNLABELLED for error in errors):
        advice += " Give labels as a column idh of --cohort, or as a sheet with columns subject and idh with --labels."
    raise InputError("labelled subjects to train on", "none left", advice)


def write_subjects(folder: Path, table: pd.DataFrame, errors: list[InputError], sequences: list[str]) -> None:
    """Write the subjects used, the exclusions with reasons and, for synthetic cohorts, the best possible scores."""
    write_table(exclusions_table(errors), folder / runs.EXCLUSIONS)
    planted = cohorts.find_planted_scores(table, sequences)
    if planted is not None:
        write_table(planted.rename("score").reset_index(), folder / runs.PLANTED)
    write_table(table, folder / runs.COHORT)


def refuse_changed_labels(folder: Path, key: dict, cohort: TrainingCohort, old_defaults: dict) -> None:
    """Raise an InputError that names the changed labels if a run differs only in the content of its label sheet."""
    names = set(runs.differing_settings(folder, key, old_defaults))
    if names and names <= SHEETS:
        sheets = {"cohort_sha256": cohort.recipe.cohort, "labels_sha256": cohort.job.labels}
        changed = " and ".join(Path(sheets[name]).name for name in sorted(names) if sheets[name])
        found = f"a changed {changed or 'sheet'}: {_changed_labels(folder, cohort)}"
        advice = "Restore the earlier content, or choose another --run-dir."
        raise InputError("the label sheet that the run was started with", found, advice, file=folder)


def _changed_labels(folder: Path, cohort: TrainingCohort) -> str:
    """Describe the IDH status that has changed since the run was started: the number and the first few subjects."""
    if not (folder / runs.COHORT).exists():
        return "the changed labels are not known, because the run had not read its cohort yet"
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
    counts = []
    for what, names in {"new": new, "missing": gone}.items():
        more = " ..." if len(names) > SHOWN else ""
        counts += [f"{len(names)} subjects are {what} ({', '.join(names[:SHOWN])}{more})"] if len(names) else []
    return "; ".join([labels, *counts]) if shown or counts else f"{labels}, but other columns do"


def _status(cell: str) -> str:
    """Return the IDH status of a cell in words, or the cell itself if it cannot be read."""
    try:
        return STATUS[parse_idh(cell)]
    except ValueError:
        return repr(cell)
