"""A run whose sheet of labels has changed does not go on, and the message says whose labels have."""

from dataclasses import replace

import pandas as pd
import pytest

from glioma_idh import runs
from glioma_idh.cohorts.table import UNLABELLED
from glioma_idh.errors import InputError
from glioma_idh.files import write_table
from glioma_idh.gbm2d import Job, Recipe
from glioma_idh.training.cohort import TrainingCohort, refuse_changed_labels
from glioma_idh.training.settings import run_key

LABELS = {"a": "1", "b": "0", "c": "", "d": "1", "e": "0", "f": "1"}


@pytest.fixture
def begun(tmp_path):
    """A run that has begun on six subjects, of whom c has no label and f no scan; and what finds it."""
    recipe, job = Recipe(cohort=str(tmp_path / "cohort.csv")), Job(run_dir=tmp_path / "run")

    def write(**changed):
        labels = {name: idh for name, idh in (LABELS | changed).items() if idh is not None}
        pd.DataFrame({"subject": labels.keys(), "idh": labels.values()}).to_csv(recipe.cohort, index=False)

    def find(**settings):
        other = replace(recipe, **settings)
        key = run_key("gbm2d", other, job)
        refuse_changed_labels(job.run_dir, key, TrainingCohort(other, job), {})
        return runs.find_run(job.run_dir, key)

    write()
    runs.begin_run(job.run_dir, run_key("gbm2d", recipe, job), {})
    used = pd.DataFrame({"subject": list("abde"), "idh": [1, 0, 1, 0]})
    write_table(used, job.run_dir / "cohort.csv")
    write_table(pd.DataFrame({"subject": ["c", "f"], "found": [UNLABELLED, "no file"]}), job.run_dir / "exclusions.csv")
    return find, write


def test_whose_labels_differ_is_said(begun):
    find, write = begun
    assert find() is False
    write(a="0", c="1", d="", f="0")
    expected = (
        r"run: expected the label sheet that the run was started with; found a changed cohort.csv: 3 labels "
        r"differ \(a mutant -> wild-type, d mutant -> not known, c not known -> mutant\). Restore the earlier content"
    )
    with pytest.raises(InputError, match=expected):
        find()
    write(b="1", e=None, g="1")
    found = r"1 labels differ \(b wild-type -> mutant\); 1 subjects are new \(g\); 1 subjects are missing \(e\)\."
    with pytest.raises(InputError, match=found):
        find()


def test_of_many_the_first_few_are_named_and_other_columns_are_told_apart(begun, tmp_path):
    find, write = begun
    write(**{f"n{number}": "1" for number in range(9)})
    with pytest.raises(InputError, match=r"no label differs; 9 subjects are new \(n0, n1, n2, n3, n4 ...\)"):
        find()
    write()
    (tmp_path / "cohort.csv").write_text((tmp_path / "cohort.csv").read_text() + "\n")
    with pytest.raises(InputError, match="no label differs, but other columns do"):
        find()
    (tmp_path / "run/cohort.csv").unlink()
    with pytest.raises(InputError, match="the changed labels are not known"):
        find()


def test_another_setting_is_another_run(begun):
    find, write = begun
    write(a="0")
    with pytest.raises(
        InputError,
        match="expected a run with cohort_sha256 .*, epochs 7; found .* The folder holds a run with other settings",
    ):
        find(epochs=7)
