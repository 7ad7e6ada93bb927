"""The cohorts of a training: whom to train on, whom to test on, and who is set aside."""

from collections import defaultdict
from functools import cached_property
from pathlib import Path

import pandas as pd

from glioma_idh import cohorts, departures, runs
from glioma_idh.cohorts.cells import parse_idh
from glioma_idh.cohorts.checks.copies import images_in_both, print_remarks_on_names
from glioma_idh.cohorts.checks.summary import describe_ignored
from glioma_idh.cohorts.shared_patients import nameless, refuse_overlap
from glioma_idh.cohorts.table import UNLABELLED, check_labels, exclusions_table, require_files, require_sequence
from glioma_idh.errors import InputError
from glioma_idh.files import write_table

SHEETS = {"cohort_sha256", "labels_sha256"}
STATUS = {"0": "wild-type", "1": "mutant", "": "not known"}
SHOWN = 5
LISTED = f", all listed in {runs.EXCLUSIONS}"


class TrainingCohort:
    """The cohort that a command trains on, read once, when it is first asked for; a phantom has `sequences`."""

    def __init__(self, recipe, job, sequences=()):
        self.recipe, self.job, self.sequences = recipe, job, sequences

    @cached_property
    def _read(self):
        recipe, job = self.recipe, self.job
        settings = {"sequences": self.sequences, "all_visits": recipe.all_visits, "phantom": recipe.phantom}
        return cohorts.read(recipe.cohort, job.images, job.labels, **settings, quiet=job.quiet)

    @property
    def table(self) -> pd.DataFrame:
        return self._read[0]

    def introduce(self, sequences) -> pd.DataFrame:
        """The cohort table, whose files must be there; says what of the folder is not in it, and of odd names."""
        table, ignored = self._read
        require_files(table)
        if ignored:
            print(describe_ignored(ignored))
        print_remarks_on_names(table, sequences)
        return table


def read_external_cohort(cohort: TrainingCohort, sequences) -> pd.DataFrame:
    """The cohort to test on; an InputError where it lacks a sequence, or one of its patients may be trained on."""
    job = cohort.job
    external, _ = cohorts.read(job.external, job.external_images, job.external_labels, sequences=sequences)
    require_files(external, "--external-images")
    print_remarks_on_names(external, sequences)
    if check_labels(external)[0].empty:
        found = f"none among {len(external)}"
        raise InputError("labelled subjects to test on", found, "Name a sheet with --external-labels.")
    for sequence in sequences:
        require_sequence(external, sequence)
        refuse_overlap(cohort.table[cohort.table[sequence] != ""], external[external[sequence] != ""])
    if unknown := nameless(cohort.table) + nameless(external):
        print(f"{unknown} subjects are known by their BraTS id alone: whether they are in both cannot be told.")
    return external


def refuse_copies(run_dir: Path, table: pd.DataFrame, measured: pd.DataFrame) -> None:
    """An image of a run's own cohort is no external test, whatever its name, also where its file was written anew.

    The external cohort's `table` has the hashes of voxels; `measured`, its measures, tell a scan in another scale too.
    """
    copies = departures.find_copies(measured, run_dir / runs.MEASURES)
    both = {here: f"{there} is {here}" for here, there in copies.items()}
    both |= images_in_both(runs.read_table(run_dir / runs.COHORT), table)
    if both:
        found = f"{len(both)} in both ({'; '.join(list(both.values())[:3])}{' ...' if len(both) > 3 else ''})"
        raise InputError("no image of the training cohort in the external one", found, "Take them out.")


def report_exclusions(errors: list, num_subjects: int, strict: bool = False, listed: str = LISTED) -> None:
    """A line for each reason to set subjects aside; `listed` says where all of them will stand.

    If strict, raises the first of them instead; an unknown status is no mistake.
    """
    mistakes = [error for error in errors if error.found != UNLABELLED]
    if strict and mistakes:
        raise mistakes[0]
    if errors:
        print(f"{len(errors)} of {num_subjects} subjects are set aside{listed}:")
        alike = defaultdict(list)
        for error in errors:
            alike[error.expected, error.found].append(error)
        for first, *others in list(alike.values())[:5]:
            print(f"  {first}" + (f" ({len(others)} more like this)" if others else ""))


def require_labelled(table, errors: list[InputError], num_subjects: int) -> None:
    """Somebody must have an IDH status to learn from; where nobody has, prints the reasons before the InputError."""
    if table["idh"].notna().any():
        return
    report_exclusions(errors, num_subjects, listed="")
    advice = "The reasons stand above."
    if len(table) or any(error.found == UNLABELLED for error in errors):
        advice += " Labels are a column idh of --cohort, or a sheet of subject and idh in --labels."
    raise InputError("labelled subjects to train on", "none left", advice)


def write_subjects(folder: Path, table: pd.DataFrame, errors: list[InputError], sequences: list[str]) -> None:
    """Who is used, who is not and why, and of phantoms the best possible scores, into the run folder."""
    write_table(exclusions_table(errors), folder / runs.EXCLUSIONS)
    planted = cohorts.find_planted_scores(table, sequences)
    if planted is not None:
        write_table(planted.rename("score").reset_index(), folder / runs.PLANTED)
    write_table(table, folder / runs.COHORT)


def refuse_changed_labels(folder: Path, key: dict, cohort: TrainingCohort, former: dict) -> None:
    """Refuse a run that differs in nothing but the content of a sheet, and say whose labels differ."""
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
    counts = []
    for what, names in {"new": new, "gone": gone}.items():
        more = " ..." if len(names) > SHOWN else ""
        counts += [f"{len(names)} subjects are {what} ({', '.join(names[:SHOWN])}{more})"] if len(names) else []
    return "; ".join([labels, *counts]) if shown or counts else f"{labels}, other columns do"


def _status(cell: str) -> str:
    """A cell of a sheet in words; as it stands where it cannot be read."""
    try:
        return STATUS[parse_idh(cell)]
    except ValueError:
        return repr(cell)
