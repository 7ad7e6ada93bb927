"""What both papers' trainings share."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from glioma_idh import pipeline
from glioma_idh.errors import InputError
from glioma_idh.sgp3d import Job, Recipe


def test_the_unlabelled_train_and_are_never_tested_and_no_patient_is_divided():
    rows = [(f"s{n}", f"p{n}", n % 2) for n in range(12)] + [("u1", "u1", np.nan), ("u2", "p0", np.nan)]
    table = pd.DataFrame(rows, columns=["subject", "patient", "idh"])
    splits = pipeline.make_splits(Recipe(num_splits=3), table)
    assert splits[splits["subject"] == "u1"][["fold", "part"]].to_numpy().tolist() == [[f, "train"] for f in range(3)]
    tested = splits.loc[(splits["subject"] == "s0") & (splits["part"] == "test"), "fold"].tolist()
    assert set(splits[splits["subject"] == "u2"]["fold"]) == {0, 1, 2} - set(tested)
    assert (splits[splits["part"] == "test"].groupby("subject").size() == 1).all()


def test_nobody_labelled():
    table = pd.DataFrame({"subject": ["a"], "patient": ["a"], "idh": [np.nan]})
    with pytest.raises(InputError, match="expected labelled subjects to train on; found none left"):
        pipeline.make_splits(Recipe(), table)


def test_two_cohorts_of_one_file_name_have_a_folder_each():
    names = {pipeline.external_name(Job(external=path)) for path in ("a/cohort.csv", "b/cohort.csv", "upenn-gbm")}
    assert names == {"a-cohort", "b-cohort", "upenn-gbm"}


def test_other_labels_are_another_run(tmp_path):
    sheet = tmp_path / "labels.csv"
    sheet.write_text("subject,idh\na,1\n")
    before = pipeline.identity("sgp3d", Recipe(), Job(labels=sheet))
    sheet.write_text("subject,idh\na,0\n")
    after = pipeline.identity("sgp3d", Recipe(), Job(labels=sheet))
    assert {name for name in before if before[name] != after[name]} == {"labels_sha256"}


@pytest.mark.parametrize(
    ("job", "match"),
    [
        (Job(labels="x.csv"), "expected a cohort of real scans with --images and --labels; found --cohort phantom"),
        (Job(external_labels="x.csv"), "expected --external with --external-images; found no --external"),
        (Job(jobs=0), "expected --jobs of at least 1; found 0"),
    ],
)
def test_settings_that_no_run_can_have(job, match):
    with pytest.raises(InputError, match=match):
        pipeline.check_settings(Recipe(cohort="phantom"), job)


def test_each_reason_is_said_once(capsys):
    errors = [InputError("a scan", "none", "Add it.", subject=f"s{n}") for n in range(3)]
    pipeline.report_exclusions([*errors, InputError("a lesion", "an empty mask", "Check.", subject="x")], 9)
    assert capsys.readouterr().out.splitlines() == [
        "4 of 9 subjects are set aside, all listed in exclusions.csv:",
        "  s0: expected a scan; found none. Add it. (2 more like this)",
        "  x: expected a lesion; found an empty mask. Check.",
    ]


def test_nobody_to_predict_is_said(tmp_path):
    (tmp_path / "cohort.csv").write_text("subject,patient,idh,t1\np1,p1,1,\n")
    wanted = SimpleNamespace(
        cohort=str(tmp_path / "cohort.csv"), images=None, labels=None, all_visits=False, quiet=True
    )
    with pytest.raises(InputError, match="subjects with images"):
        pipeline.read_subjects(wanted, ("t1",))
