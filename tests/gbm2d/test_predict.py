"""Prediction of one patient and of many, from a run folder alone."""

import io
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from glioma_idh import runs
from glioma_idh.errors import InputError
from glioma_idh.files import write_json, write_table
from glioma_idh.gbm2d import build_cnn
from glioma_idh.gbm2d.predict import Prediction, predict
from glioma_idh.gbm2d.recipe import Recipe
from tests.conftest import AFFINE, SHAPE, save, write_cohort


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run folder of two untrained networks for T2, and the cohort it names."""
    from dataclasses import asdict

    import keras

    folder = tmp_path_factory.mktemp("predict")
    write_cohort(folder, num_subjects=4, num_mutant=2)
    run = folder / "run"
    runs.begin_run(run, {"paper": "gbm2d", **asdict(Recipe(sequence=("t2",)))}, {})
    write_table(
        pd.DataFrame({"subject": ["s00", "s00"], "repeat": 0, "fold": [0, 1], "part": "test"}), run / "splits.csv"
    )
    write_table(pd.DataFrame({"subject": ["s00"], "patient": ["s00"], "brain_mask": [""]}), run / "cohort.csv")
    for index in range(2):
        keras.utils.set_random_seed(index)
        (run / f"split_{index}").mkdir()
        build_cnn().save(run / f"split_{index}/model.keras")
    write_json({"synthetic": False}, run / "metrics.json")
    return run


def test_many_subjects_one_row_each_with_mean_and_spread(run, capsys):
    table = predict(Prediction(run, cohort=str(run.parent / "cohort.csv"), quiet=True))
    assert table["subject"].tolist() == ["s00", "s01", "s02", "s03"]
    scores = table[["score_1", "score_2"]].to_numpy()
    assert table["score_mean"].to_numpy() == pytest.approx(scores.mean(axis=1))
    assert table["score_sd"].to_numpy() == pytest.approx(np.abs(scores[:, 0] - scores[:, 1]) / np.sqrt(2), rel=1e-4)
    pd.testing.assert_frame_equal(runs.read_table(run / "predict/predictions.csv"), table, check_dtype=False)
    assert (run / "predict/s03.png").exists()
    assert "1 of 4 subjects are patients of the run itself" in capsys.readouterr().err


def test_one_patient_gives_the_row_that_the_cohort_gives(run, tmp_path):
    scans = run.parent / "scans/s02"
    arguments = ["--scan", scans / "t2.nii.gz", "--lesion-mask", scans / "mask.nii.gz", "--out", tmp_path]
    command = [sys.executable, "-m", "glioma_idh.gbm2d.predict", str(run), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    row = pd.read_csv(io.StringIO(done.stdout)).iloc[0]
    many = predict(Prediction(run, cohort=str(run.parent / "cohort.csv"), out=tmp_path / "many", quiet=True))
    assert row["subject"] == "t2"
    assert row["score_mean"] == pytest.approx(many["score_mean"][2], rel=1e-3)
    assert done.stderr == ""
    assert (tmp_path / "t2.png").exists()


def test_orientation_of_the_file_changes_nothing(run, tmp_path):
    import nibabel

    scans = run.parent / "scans/s01"
    turn = np.array([[2, -1], [0, 1], [1, -1]])
    for name in ("t2", "mask"):
        nibabel.save(nibabel.load(scans / f"{name}.nii.gz").as_reoriented(turn), tmp_path / f"{name}.nii.gz")
    scores = [
        predict(Prediction(run, scan=folder / "t2.nii.gz", lesion_mask=folder / "mask.nii.gz", out=tmp_path))[
            "score_mean"
        ][0]
        for folder in (scans, tmp_path)
    ]
    assert scores[0] == scores[1]


def test_what_cannot_be_predicted_says_why(run, tmp_path):
    scan = run.parent / "scans/s00/t2.nii.gz"
    mask = save(tmp_path / "mask.nii.gz", np.zeros(SHAPE), AFFINE)
    with pytest.raises(InputError, match="expected --lesion-mask with --scan; found none"):
        predict(Prediction(run, scan=scan))
    with pytest.raises(InputError, match="either --scan and --lesion-mask, or --cohort; found neither"):
        predict(Prediction(run))
    with pytest.raises(InputError, match="t2: .*mask.nii.gz: .*found an empty mask"):
        predict(Prediction(run, scan=scan, lesion_mask=mask))
    with pytest.raises(InputError, match="recipe.json: expected a run folder"):
        predict(Prediction(tmp_path, scan=scan, lesion_mask=mask))


def test_an_unfinished_run_and_another_paper_s_are_errors(tmp_path):
    runs.begin_run(tmp_path / "a", {"paper": "gbm2d", "sequence": ["t2"]}, {})
    with pytest.raises(InputError, match="expected a finished run; found no metrics.json"):
        predict(Prediction(tmp_path / "a", cohort="phantom"))
    runs.begin_run(tmp_path / "b", {"paper": "sgp3d"}, {})
    with pytest.raises(InputError, match=r"expected a run of glioma_idh.gbm2d.train; found a run of sgp3d"):
        predict(Prediction(tmp_path / "b", cohort="phantom"))


def test_a_file_of_another_network_is_an_error(run, tmp_path):
    import shutil

    other = shutil.copytree(run, tmp_path / "run")
    build_cnn((32, 32, 1)).save(other / "split_1/model.keras")
    with pytest.raises(
        InputError, match=r"split_1/model.keras: expected a network for \(64, 64, 1\); found one for \(32"
    ):
        predict(Prediction(other, cohort=str(run.parent / "cohort.csv"), quiet=True))
    (other / "split_1/model.keras").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"split_1/model.keras: expected a network; found ValueError"):
        predict(Prediction(other, cohort=str(run.parent / "cohort.csv"), quiet=True))
