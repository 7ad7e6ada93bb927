"""Prediction of one patient and of many, from a run folder alone."""

import io
import itertools
import shutil
import subprocess
import sys
from dataclasses import asdict

import keras
import nibabel
import numpy as np
import pandas as pd
import pytest

from glioma_idh import runs
from glioma_idh.errors import InputError
from glioma_idh.files import write_json, write_table
from glioma_idh.sgp3d import Recipe
from glioma_idh.sgp3d import prediction as library
from glioma_idh.sgp3d.inference import FLIPS, NO_FLIP, PREDICTION_COLUMNS, predict_scans, score_masks
from glioma_idh.sgp3d.measures import PAIRS
from glioma_idh.sgp3d.predict import Prediction
from glioma_idh.sgp3d.prediction import predict_cohort, warn_of_large_lesions
from glioma_idh.sgp3d.preprocessing import Placement
from glioma_idh.training import predict as common
from tests.sgp3d.conftest import GRID, write_four
from tests.sgp3d.tiny import tiny_network

SEQUENCES = ("t1", "t1gd", "t2", "flair")
SHAPE = (16, 16, 16)
CODES = ["".join(code) for axes in itertools.permutations(["RL", "AP", "SI"]) for code in itertools.product(*axes)]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run folder of two untrained networks, tiny ones, and the cohort it names."""
    folder = tmp_path_factory.mktemp("predict")
    write_four(folder, num_subjects=3, num_mutant=1)
    run = folder / "run"
    runs.begin_run(run, {"paper": "sgp3d", **asdict(Recipe(shape=SHAPE))}, {})
    splits = pd.DataFrame({"subject": ["s00", "s00"], "repeat": 0, "split": [0, 1], "part": "test"})
    write_table(splits, run / "splits.csv")
    row = {"subject": ["s00"], "patient": ["s00"], "cohort": ["x"], "lesion_ml": [99.0]}
    write_table(pd.DataFrame(row), run / "cohort.csv")
    for index in range(2):
        keras.utils.set_random_seed(index)
        (run / f"split_{index + 1}").mkdir()
        tiny_network((*SHAPE, 4)).save(run / f"split_{index + 1}/model.keras")
    write_json({"synthetic": False}, run / "metrics.json")
    return run


def scans_of(run, subject):
    return {name: run.parent / f"scans/{subject}/{name}.nii.gz" for name in SEQUENCES}


@pytest.mark.integration
def test_many_subjects_one_row_each_with_mean_spread_and_dice(run, capsys):
    table = predict_cohort(Prediction(run, cohort=str(run.parent / "cohort.csv"), quiet=True))
    assert table["subject"].tolist() == ["s00", "s01", "s02"] and table["dice"].between(0, 1).all()
    scores = table[["score_1", "score_2"]].to_numpy()
    assert table["score"].to_numpy() == pytest.approx(scores.mean(axis=1))
    assert table["score_sd"].to_numpy() == pytest.approx(np.abs(scores[:, 0] - scores[:, 1]) / np.sqrt(2), rel=1e-4)
    assert (run / "predict/s02.png").exists() and (run / "predict/predictions.csv").exists()
    assert "1 of 3 subjects were in the training cohort" in capsys.readouterr().err
    assert (table["remarks"] == "").all()


@pytest.mark.integration
def test_sequences_that_go_together_in_another_way_than_the_run_s_are_told(run, tmp_path):
    """Of a run whose T1 and T1Gd are nearly one image, and of an image given twice."""
    pairs = pd.DataFrame(np.random.default_rng(0).normal(0, 0.02, (40, len(PAIRS))), columns=PAIRS)
    pairs[PAIRS[0]] += 2.5
    shutil.copytree(run, tmp_path / "run")
    write_table(pairs.assign(subject="s", box_ml=1e3, lesion_ml=10.0), tmp_path / "run" / runs.MEASURES)
    scans = scans_of(run, "s01")
    (said,) = predict_cohort(Prediction(tmp_path / "run", **scans, out=tmp_path))["remarks"]
    assert "correlations between T1, T1Gd, T2 and FLAIR differ from those of the training cohort (40" in said
    copy = shutil.copy(scans["t1gd"], tmp_path / "t1gd.nii.gz")
    (said,) = predict_cohort(Prediction(tmp_path / "run", **scans | {"t1": copy}, out=tmp_path))["remarks"]
    assert said.startswith("t1gd.nii.gz is given as T1, but its name suggests T1Gd. T1Gd: Has the same voxels as t1.")


@pytest.mark.integration
def test_one_patient_gives_the_row_that_the_cohort_gives(run, tmp_path):
    flags = [str(part) for name, path in scans_of(run, "s01").items() for part in (f"--{name}", path)]
    command = [sys.executable, "-m", "glioma_idh.sgp3d.predict", str(run), *flags, "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    row = pd.read_csv(io.StringIO(done.stdout)).iloc[0]
    many = predict_cohort(Prediction(run, cohort=str(run.parent / "cohort.csv"), out=tmp_path / "many", quiet=True))
    assert row["subject"] == "s01" and "dice" not in row
    assert row["score"] == pytest.approx(many["score"][1], rel=1e-3)
    assert done.stderr.startswith("score: predicted probability of an IDH mutation, the mean of ")
    assert done.stderr.endswith("For research only, not for diagnosis.\n") and str(tmp_path) in done.stderr
    assert (tmp_path / "s01.png").exists()
    mask, scan = nibabel.load(tmp_path / "s01_lesion.nii.gz"), nibabel.load(scans_of(run, "s01")["flair"])
    assert mask.shape == scan.shape == GRID and np.allclose(mask.affine, scan.affine)
    assert row["predicted_ml"] == pytest.approx(np.asarray(mask.dataobj).sum() * 12 / 1000, rel=1e-3)


@pytest.mark.integration
def test_lesions_beyond_all_that_the_run_learnt_from_are_named(run, capsys):
    cohort = str(run.parent / "cohort.csv")
    table = predict_cohort(Prediction(run, cohort=cohort, quiet=True))
    assert "more than twice" not in capsys.readouterr().err and table["predicted_ml"].max() > 0
    learnt = runs.read_table(run / "cohort.csv")
    write_table(learnt.assign(lesion_ml=table["predicted_ml"].max() / 3), run / "cohort.csv")
    predict_cohort(Prediction(run, cohort=cohort, quiet=True))
    write_table(learnt, run / "cohort.csv")
    assert "are more than twice as large as any in the training cohort" in capsys.readouterr().err


@pytest.mark.parametrize(("predicted", "named"), [(99.0, False), (101.0, True)])
def test_a_lesion_is_too_large_beyond_twice_the_largest_of_the_run(tmp_path, capsys, predicted, named):
    write_table(pd.DataFrame({"subject": ["x", "y", "z"], "lesion_ml": [10.0, 50.0, 20.0]}), tmp_path / "cohort.csv")
    warn_of_large_lesions(pd.DataFrame({"subject": ["a", "b"], "predicted_ml": [60.0, predicted]}), tmp_path)
    told = "1 of 2 predicted lesions (for example b) are more than twice as large as any in the training cohort (at "
    told += "most 50 ml). "
    assert capsys.readouterr().err.startswith(told) if named else not capsys.readouterr().err


class Thresholded:
    """Stands in for a network: calls bright FLAIR a lesion, and nobody a mutant."""

    input_shape = (None, 24, 20, 18, 4)

    def predict_on_batch(self, scans):
        lesion = (scans[..., 3] > 1.5).astype(np.float32)
        return {"idh": np.zeros((1, 1)), "segmentation": np.stack([1 - lesion, lesion], axis=-1)}


@pytest.mark.parametrize("code", CODES)
def test_a_lesion_comes_back_to_its_place_in_every_orientation(run, tmp_path, monkeypatch, code):
    turn = nibabel.orientations.ornt_transform(
        nibabel.orientations.axcodes2ornt("LPS"), nibabel.orientations.axcodes2ornt(code)
    )
    paths = {}
    for name, path in (scans_of(run, "s02") | {"lesion_mask": run.parent / "scans/s02/mask.nii.gz"}).items():
        paths[name] = tmp_path / f"{name}.nii.gz"
        nibabel.save(nibabel.load(path).as_reoriented(turn), paths[name])
    monkeypatch.setattr(common, "load_networks", lambda *_: [Thresholded()])
    monkeypatch.setattr(library, "lesion_overlay", lambda *_, **__: None)
    monkeypatch.setattr(library, "save_figure", lambda *_: None)
    monkeypatch.setattr(common, "read_finished_run", lambda *_: ({"paper": "sgp3d", "shape": GRID}, False))
    table = predict_cohort(Prediction(run, **paths, out=tmp_path / "out"))
    assert table["dice"][0] > 0.98
    found = nibabel.load(tmp_path / "out" / f"{tmp_path.name}_lesion.nii.gz")
    assert nibabel.aff2axcodes(found.affine) == tuple(code)


class Unsure(Thresholded):
    """Calls bright FLAIR a lesion with a probability, and the subject a mutant with another."""

    def __init__(self, lesion, score):
        self.lesion, self.score = lesion, score

    def predict_on_batch(self, scans):
        lesion = super().predict_on_batch(scans)["segmentation"][..., 1] * self.lesion
        return {"idh": np.full((1, 1), self.score), "segmentation": np.stack([1 - lesion, lesion], axis=-1)}


@pytest.mark.parametrize(("probabilities", "found"), [((0.95, 0.2), True), ((0.6, 0.3), False), ((0.3, 0.9), True)])
def test_networks_are_averaged_before_a_voxel_is_called_lesion(run, tmp_path, monkeypatch, probabilities, found):
    cases = []
    networks = [Unsure(lesion, score) for lesion, score in zip(probabilities, (0.2, 0.6), strict=True)]
    monkeypatch.setattr(common, "load_networks", lambda *_: networks)
    monkeypatch.setattr(common, "read_finished_run", lambda *_: ({"paper": "sgp3d", "shape": GRID}, False))
    monkeypatch.setattr(library, "lesion_overlay", lambda case, synthetic: cases.append(case))
    monkeypatch.setattr(library, "save_figure", lambda *_: None)
    mask = run.parent / "scans/s02/mask.nii.gz"
    table = predict_cohort(Prediction(run, **scans_of(run, "s02"), lesion_mask=mask, out=tmp_path))
    assert table.loc[0, ["score_1", "score_2", "score"]].tolist() == pytest.approx([0.2, 0.6, 0.4])
    lesion, reference = nibabel.load(tmp_path / "s02_lesion.nii.gz").get_fdata(), nibabel.load(mask).get_fdata()
    assert (table["dice"][0] > 0.98) == lesion.any() == found
    (case,) = cases
    turned = np.flip(reference, (0, 1)) != 0  # from LPS to the picture's RAS
    assert np.array_equal(case.reference, turned) and np.array_equal(case.predicted, np.flip(lesion, (0, 1)) != 0)
    assert list(case.images) == list(SEQUENCES) and case.images["flair"][turned].mean() > 160
    assert case.images["t1"][turned].mean() == pytest.approx(100, abs=2)  # as a wild-type's


def test_outlines_lie_in_their_place_where_flair_s_file_has_other_axes_than_t1_s(run, tmp_path, monkeypatch):
    cases, scans, mask = [], scans_of(run, "s02"), run.parent / "scans/s02/mask.nii.gz"
    nibabel.save(nibabel.as_closest_canonical(nibabel.load(scans["flair"])), tmp_path / "flair.nii.gz")
    monkeypatch.setattr(common, "load_networks", lambda *_: [Thresholded()])
    monkeypatch.setattr(common, "read_finished_run", lambda *_: ({"paper": "sgp3d", "shape": GRID}, False))
    monkeypatch.setattr(library, "lesion_overlay", lambda case, synthetic: cases.append(case))
    monkeypatch.setattr(library, "save_figure", lambda *_: None)
    given = scans | {"flair": tmp_path / "flair.nii.gz", "lesion_mask": mask}
    predict_cohort(Prediction(run, **given, out=tmp_path))
    (case,) = cases
    bright = case.images["flair"] > 140
    assert np.array_equal(case.reference != 0, bright) and np.mean((case.predicted != 0) != bright) < 0.01


def test_flips_are_averaged_and_turned_back():
    class Halves:
        input_shape = (None, 4, 4, 4, 4)

        def predict_on_batch(self, scans):
            lesion = np.zeros(scans.shape[:-1], np.float32)
            lesion[:, :2] = 1
            return {"idh": np.full((1, 1), scans[0, 0, 0, 0, 0]), "segmentation": np.stack([1 - lesion, lesion], -1)}

    scans = np.arange(4 * 4 * 4 * 4, dtype=np.float32).reshape(4, 4, 4, 4)
    assert predict_scans(Halves(), scans, NO_FLIP)[1].sum() == 32
    score, lesion = predict_scans(Halves(), scans, FLIPS)
    corners = scans[np.ix_([0, 3], [0, 3], [0, 3])][..., 0]
    assert len(FLIPS) == 8 and (lesion == 0.5).all() and score == pytest.approx(corners.mean())


@pytest.mark.parametrize(("flips", "passes"), [(False, 1), (True, 8)])
def test_every_network_sees_the_flips_that_are_asked_for(run, tmp_path, monkeypatch, flips, passes):
    class Counting(Thresholded):
        seen = 0

        def predict_on_batch(self, scans):
            self.seen += 1
            return super().predict_on_batch(scans)

    networks = [Counting(), Counting()]
    monkeypatch.setattr(common, "load_networks", lambda *_: networks)
    monkeypatch.setattr(library, "lesion_overlay", lambda *_, **__: None)
    monkeypatch.setattr(library, "save_figure", lambda *_: None)
    monkeypatch.setattr(common, "read_finished_run", lambda *_: ({"paper": "sgp3d", "shape": GRID}, False))
    predict_cohort(Prediction(run, **scans_of(run, "s02"), flips=flips, out=tmp_path))
    assert [network.seen for network in networks] == [passes, passes]


def test_masks_are_scored_in_the_millimetres_of_the_patient_s_own_grid():
    predicted, reference = np.zeros((2, 6, 12, 10))
    predicted[:, 2:8, 1:9], reference[:, 2:8, 1:7] = 1, 1  # two voxels too many along k
    own_affine = np.diag([-5.0, 1, 0.5, 1])
    scores = score_masks(predicted, reference, Placement(None, (6, 12, 10), own_affine))
    assert scores["dice"] == pytest.approx(12 / 14) and scores["hd95_mm"] == 1
    assert scores["predicted_ml"] == pytest.approx(6 * 6 * 8 * 2.5 / 1000)
    assert scores["volume_error_ml"] == pytest.approx(6 * 6 * 2 * 2.5 / 1000)
    assert set(PREDICTION_COLUMNS) >= set(scores) - {"volume_error_ml"}


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"t2": None}, "expected all four sequences; found no --t2"),
        (dict.fromkeys(SEQUENCES), "either --t1, --t1gd, --t2 and --flair, or --cohort; found neither"),
        ({"cohort": "phantom"}, "either --t1, --t1gd, --t2 and --flair, or --cohort; found both"),
        ({"t1": "nowhere.nii.gz"}, "nowhere.nii.gz: expected a NIfTI file for --t1; found no file. Check --t1"),
    ],
)
def test_what_cannot_be_predicted_says_why(run, tmp_path, change, match):
    with pytest.raises(InputError, match=match):
        predict_cohort(Prediction(run, **(scans_of(run, "s00") | change), out=tmp_path))


def test_scans_that_do_not_belong_together(run, tmp_path):
    scan = nibabel.load(scans_of(run, "s00")["t2"])
    others = {
        "grid": nibabel.Nifti1Image(np.asarray(scan.dataobj)[:-1], scan.affine),
        "4d": nibabel.Nifti1Image(np.stack([np.asarray(scan.dataobj)] * 2, -1), scan.affine),
        "nan": nibabel.Nifti1Image(np.full(GRID, np.nan), scan.affine),
    }
    for name, match in (("grid", "expected shape"), ("4d", "expected a 3D volume"), ("nan", "expected finite voxels")):
        nibabel.save(others[name], tmp_path / f"{name}.nii.gz")
        with pytest.raises(InputError, match=f"s00: .*{name}.nii.gz: {match}"):
            predict_cohort(
                Prediction(run, **(scans_of(run, "s00") | {"t2": tmp_path / f"{name}.nii.gz"}), out=tmp_path)
            )


def test_another_paper_s_run_and_another_network_s_file_are_errors(run, tmp_path):
    import shutil

    runs.begin_run(tmp_path / "a", {"paper": "gbm2d"}, {})
    with pytest.raises(InputError, match="expected a run of glioma_idh.sgp3d.train; found a run of gbm2d"):
        predict_cohort(Prediction(tmp_path / "a", cohort="phantom"))
    other = shutil.copytree(run, tmp_path / "run")
    tiny_network((32, 16, 16, 4)).save(other / "split_2/model.keras")
    with pytest.raises(InputError, match=r"split_2/model.keras: expected a network for input \(16, 16, 16, 4\) with"):
        common.load_networks(other, (*SHAPE, 4), Recipe().outputs)
    (other / "split_2/model.keras").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"split_2/model.keras: expected a Keras network; found ValueError"):
        common.load_networks(other, (*SHAPE, 4), Recipe().outputs)
