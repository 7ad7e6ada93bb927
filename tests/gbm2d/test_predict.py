"""Prediction of one patient and of many, from a run folder alone."""

import functools
import io
import shutil
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import keras
import nibabel
import numpy as np
import pandas as pd
import pytest

from glioma_idh import runs
from glioma_idh.cohorts.table import read_table
from glioma_idh.errors import InputError
from glioma_idh.files import write_json, write_table
from glioma_idh.gbm2d import build_cnn
from glioma_idh.gbm2d.predict import Prediction, main
from glioma_idh.gbm2d.prediction import predict_cohort, warn_of_brain_masks
from glioma_idh.gbm2d.preprocessing import prepare_cohort, prepare_subject
from glioma_idh.gbm2d.recipe import Recipe
from tests.conftest import AFFINE, SHAPE, save, write_cohort


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run folder of three untrained networks for T2 in 32 x 32, and a cohort that has FLAIR too."""
    folder = tmp_path_factory.mktemp("predict")
    write_cohort(folder, num_subjects=4, num_mutant=2)
    other = write_cohort(folder / "flair", num_subjects=4, num_mutant=2, seed=5)
    table = pd.read_csv(folder / "cohort.csv").assign(flair=pd.read_csv(other)["t2"])
    table.to_csv(folder / "cohort.csv", index=False)
    run = folder / "run"
    runs.begin_run(run, {"paper": "gbm2d", **asdict(Recipe(sequence=("t2",), size=32))}, {})
    write_table(pd.DataFrame({"subject": "s00", "repeat": 0, "split": [0, 1, 2], "part": "test"}), run / "splits.csv")
    row = {"subject": ["s00"], "patient": ["s00"], "cohort": ["x"], "brain_mask": [""]}
    write_table(pd.DataFrame(row), run / "cohort.csv")
    for index in range(3):
        keras.utils.set_random_seed(index)
        (run / f"split_{index + 1}").mkdir()
        build_cnn((32, 32, 1), (4, 4), (8,)).save(run / f"split_{index + 1}/model.keras")
    write_json({"synthetic": False}, run / "metrics.json")
    return run


@pytest.fixture
def drawn(monkeypatch):
    """What pictures were asked for, by the name of the file; none is drawn."""
    pictures = {}
    monkeypatch.setattr("glioma_idh.gbm2d.prediction.slice_read", lambda *args, **named: (args, named))
    save = "glioma_idh.gbm2d.prediction.save_figure"
    monkeypatch.setattr(save, lambda picture, folder, name: pictures.update({name: picture}))
    return pictures


def cohort_of(run):
    return str(run.parent / "cohort.csv")


@functools.cache
def networks_of(run) -> list:
    return [keras.models.load_model(run / f"split_{index + 1}/model.keras") for index in range(3)]


def scores_by_hand(run, rows) -> np.ndarray:
    """The second output of each split's network on each subject's slice of T2, shape (subjects, networks)."""
    slices = np.stack([prepare_subject(row, "t2", 32)[0] for _, row in rows.iterrows()])
    return np.stack([np.array(network(slices))[:, 1] for network in networks_of(run)], axis=1)


@pytest.mark.integration
def test_many_subjects_one_row_each_with_mean_and_spread(run, capsys):
    table = predict_cohort(Prediction(run, cohort=cohort_of(run), quiet=True))
    assert table["subject"].tolist() == ["s00", "s01", "s02", "s03"]
    assert list(table) == ["subject", "score_1", "score_2", "score_3", "score", "score_sd", "lesion_ml", "remarks"]
    scores = table[["score_1", "score_2", "score_3"]].to_numpy()
    assert scores == pytest.approx(scores_by_hand(run, read_table(cohort_of(run))), abs=1e-6)
    assert np.ptp(scores, axis=0).min() > 1e-3 and np.ptp(scores, axis=1).min() > 1e-3  # no two are alike
    assert table["score"].to_numpy() == pytest.approx(scores.mean(axis=1))
    assert table["score_sd"].to_numpy() == pytest.approx(np.std(scores, axis=1, ddof=1), rel=1e-4)
    assert table["lesion_ml"].to_numpy() == pytest.approx((8 * 6 * 2 + 8 * 7) * 12 / 1000)
    pd.testing.assert_frame_equal(runs.read_table(run / "predict/predictions.csv"), table, check_dtype=False)
    assert {path.name for path in (run / "predict").glob("*.png")} == {f"s0{number}.png" for number in range(4)}
    assert "1 of 4 subjects were in the training cohort" in capsys.readouterr().err


@pytest.mark.integration
def test_what_is_unlike_the_run_or_wrong_stands_beside_the_score(run, drawn, tmp_path, capsys):
    """Of a run whose lesions are larger by far, and of a file that is called FLAIR."""
    table = read_table(cohort_of(run))
    measured = pd.DataFrame(prepare_cohort(table, "t2", 32, jobs=1, quiet=True)[0].attrs["measures"])
    many = pd.concat([measured] * 4, ignore_index=True)
    many["lesion_ml"] = many["lesion_ml"] * np.linspace(40, 60, len(many))
    shutil.copytree(run, tmp_path / "run")
    write_table(many, tmp_path / "run" / runs.MEASURES)
    shutil.copy(table.at[1, "t2"], tmp_path / "s01_flair.nii.gz")
    wanted = Prediction(
        tmp_path / "run", scan=tmp_path / "s01_flair.nii.gz", lesion_mask=table.at[1, "lesion_mask"], out=tmp_path
    )
    (said,) = predict_cohort(wanted)["remarks"]
    assert said.startswith(
        "s01_flair.nii.gz is given as T2, but its name suggests FLAIR. Unusual lesion volume of 1.8 ml; range in the"
    )
    assert "s01_flair: Unusual lesion volume of 1.8 ml; range in the training cohort" in capsys.readouterr().err


def test_one_picture_a_subject_of_the_slice_that_was_read(run, drawn, tmp_path):
    table = predict_cohort(Prediction(run, cohort=cohort_of(run), quiet=True, out=tmp_path)).set_index("subject")
    assert list(drawn) == list(table.index)
    for _, row in read_table(cohort_of(run)).iterrows():
        (image, mask, box, seen), named = drawn[row["subject"]]
        assert np.array_equal(image, nibabel.load(row["t2"]).get_fdata(dtype=np.float32)[..., 3])
        assert np.array_equal(mask, nibabel.load(row["lesion_mask"]).get_fdata()[..., 3] != 0)
        assert box == ((5, 13), (6, 13))
        assert np.array_equal(seen, prepare_subject(row, "t2", 32)[0][..., 0])
        assert (named["subject"], named["sequence"], named["synthetic"]) == (row["subject"], "t2", False)
        wanted = table.loc[row["subject"], ["score_1", "score_2", "score_3"]].tolist()
        assert named["scores"].tolist() == pytest.approx(wanted)


def test_a_subject_set_aside_moves_no_other_s_score(run, drawn, edit_table, tmp_path, capsys):
    whole = predict_cohort(Prediction(run, cohort=cohort_of(run), quiet=True, out=tmp_path)).set_index("subject")
    cohort = tmp_path / "cohort.csv"
    cohort.write_text((run.parent / "cohort.csv").read_text())
    edit_table(cohort, "s01", "t2", tmp_path / "nowhere.nii.gz")
    drawn.clear()
    wanted = Prediction(run, cohort=str(cohort), quiet=True, out=tmp_path)
    pd.testing.assert_frame_equal(predict_cohort(wanted).set_index("subject"), whole.drop("s01"))
    assert list(drawn) == ["s00", "s02", "s03"]
    assert pd.read_csv(tmp_path / "exclusions.csv")["subject"].tolist() == ["s01"]
    assert "excluded: s01: " in capsys.readouterr().err
    with pytest.raises(InputError, match="s01: .*nowhere.nii.gz"):
        predict_cohort(replace(wanted, strict=True))


def test_the_picture_of_a_phantom_says_so(run, drawn, edit_table, tmp_path):
    cohort = tmp_path / "cohort.csv"
    cohort.write_text((run.parent / "cohort.csv").read_text())
    edit_table(cohort, "s01", "cohort", "phantom")
    predict_cohort(Prediction(run, cohort=str(cohort), quiet=True, out=tmp_path))
    assert [named["synthetic"] for _, named in drawn.values()] == [False, True, False, False]


def test_a_brain_mask_is_what_the_scan_is_normalised_within(run, drawn, tmp_path):
    scans = run.parent / "scans/s02"
    brain = np.zeros(SHAPE)
    brain[4:14, 4:14, 1:6] = 1
    one = Prediction(run, scan=scans / "t2.nii.gz", lesion_mask=scans / "mask.nii.gz", out=tmp_path)
    masked = replace(one, brain_mask=save(tmp_path / "brain.nii.gz", brain))
    rows = read_table(cohort_of(run)).iloc[[2, 2]].copy()
    rows["brain_mask"] = ["", str(masked.brain_mask)]
    without, within = (predict_cohort(wanted)["score"][0] for wanted in (one, masked))
    assert [without, within] == pytest.approx(scores_by_hand(run, rows).mean(axis=1), abs=1e-6)
    assert abs(without - within) > 1e-3


def test_who_is_warned_of_what(run, drawn, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(
        "glioma_idh.training.predict.load_networks", lambda *_: [lambda batch: np.full((len(batch), 2), 0.5)]
    )
    other = shutil.copytree(run, tmp_path / "run")
    scans = run.parent / "scans/s02"
    one = Prediction(other, scan=scans / "t2.nii.gz", lesion_mask=scans / "mask.nii.gz", out=tmp_path / "predict")

    def told(wanted):
        predict_cohort(wanted)
        return capsys.readouterr().err

    assert told(one) == "The networks of this run read T2.\n"
    write_table(runs.read_table(other / "cohort.csv").assign(cohort="phantom"), other / "cohort.csv")
    assert "trained on synthetic data (phantom)" in told(one) and drawn["s02"][1]["synthetic"]
    table = pd.DataFrame({"subject": ["a", "b"], "patient": ["a", "b"], "cohort": "x", "brain_mask": ["m", "m"]})
    write_table(table, other / "cohort.csv")
    assert "The run was trained with brain masks" in told(one)
    brain = save(tmp_path / "brain.nii.gz", nibabel.load(one.scan).get_fdata() != 0)
    assert "normalised" not in told(replace(one, brain_mask=Path(brain)))
    write_table(table.assign(brain_mask=["m", ""]), other / "cohort.csv")
    assert "normalised" not in told(one)


def test_one_scan_of_many_without_a_brain_mask_is_enough_to_warn(tmp_path, capsys):
    table = pd.DataFrame({"brain_mask": ["m", "m"]})
    write_table(table, tmp_path / "cohort.csv")
    warn_of_brain_masks(table, tmp_path)
    assert capsys.readouterr().err == ""
    warn_of_brain_masks(table.assign(brain_mask=["m", ""]), tmp_path)
    assert "The run was trained with brain masks" in capsys.readouterr().err


@pytest.mark.integration
def test_one_patient_gives_the_row_that_the_cohort_gives(run, drawn, tmp_path):
    scans = run.parent / "scans/s02"
    arguments = ["--scan", scans / "t2.nii.gz", "--lesion-mask", scans / "mask.nii.gz", "--out", tmp_path]
    command = [sys.executable, "-m", "glioma_idh.gbm2d.predict", str(run), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    row = pd.read_csv(io.StringIO(done.stdout)).iloc[0]
    many = predict_cohort(Prediction(run, cohort=cohort_of(run), out=tmp_path / "many", quiet=True))
    assert row["subject"] == "s02"
    assert row["score"] == pytest.approx(many["score"][2], rel=1e-3)
    assert done.stderr.startswith(
        "The networks of this run read T2.\nscore: predicted probability of an IDH mutation, the mean of "
    )
    assert done.stderr.endswith("For research only, not for diagnosis.\n") and str(tmp_path) in done.stderr
    assert (tmp_path / "s02.png").exists()


def test_orientation_of_the_file_changes_nothing(run, drawn, tmp_path):
    scans = run.parent / "scans/s01"
    turn = np.array([[2, -1], [0, 1], [1, -1]])
    for name in ("t2", "mask"):
        nibabel.save(nibabel.load(scans / f"{name}.nii.gz").as_reoriented(turn), tmp_path / f"{name}.nii.gz")
    scores = []
    for folder in (scans, tmp_path):
        wanted = Prediction(run, scan=folder / "t2.nii.gz", lesion_mask=folder / "mask.nii.gz", out=tmp_path)
        scores.append(predict_cohort(wanted)["score"][0])
    assert scores[0] == scores[1]
    assert scores[0] == pytest.approx(scores_by_hand(run, read_table(cohort_of(run)).iloc[[1]]).mean(), abs=1e-6)


def test_what_cannot_be_predicted_says_why(run, tmp_path):
    scan = run.parent / "scans/s00/t2.nii.gz"
    mask = save(tmp_path / "mask.nii.gz", np.zeros(SHAPE), AFFINE)
    with pytest.raises(InputError, match="expected --lesion-mask with --scan; found no --lesion-mask"):
        predict_cohort(Prediction(run, scan=scan))
    with pytest.raises(InputError, match="either --scan and --lesion-mask, or --cohort; found neither"):
        predict_cohort(Prediction(run))
    with pytest.raises(InputError, match="s00: .*mask.nii.gz: .*found an empty mask"):
        predict_cohort(Prediction(run, scan=scan, lesion_mask=mask))
    with pytest.raises(InputError, match="expected the folder of one run"):
        predict_cohort(Prediction(tmp_path, scan=scan, lesion_mask=mask))


def test_an_unfinished_run_and_another_paper_s_are_errors(tmp_path):
    runs.begin_run(tmp_path / "a", {"paper": "gbm2d", "sequence": ["t2"]}, {})
    with pytest.raises(InputError, match="expected a finished run; found no metrics.json"):
        predict_cohort(Prediction(tmp_path / "a", cohort="phantom"))
    runs.begin_run(tmp_path / "b", {"paper": "sgp3d"}, {})
    with pytest.raises(InputError, match=r"expected a run of glioma_idh.gbm2d.train; found a run of sgp3d"):
        predict_cohort(Prediction(tmp_path / "b", cohort="phantom"))


def test_a_file_of_another_network_is_an_error(run, tmp_path):
    other = shutil.copytree(run, tmp_path / "run")
    build_cnn((16, 32, 1), (2,), (2,)).save(other / "split_2/model.keras")
    with pytest.raises(
        InputError, match=r"split_2/model.keras: expected a network for input \(32, 32, 1\); found one for \(16, 32"
    ):
        predict_cohort(Prediction(other, cohort=str(run.parent / "cohort.csv"), quiet=True))
    (other / "split_2/model.keras").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"split_2/model.keras: expected a Keras network; found ValueError"):
        predict_cohort(Prediction(other, cohort=str(run.parent / "cohort.csv"), quiet=True))


def test_the_command_line_reaches_the_prediction_and_prints_its_table(run, monkeypatch, capsys, tmp_path):
    given = []

    def kept(wanted):
        given.append(wanted)
        return pd.DataFrame({"subject": ["p"], "score": [0.123456]})

    monkeypatch.setattr("glioma_idh.gbm2d.prediction.predict_cohort", kept)
    text = "glioma_idh.training.predict.prediction_text"
    monkeypatch.setattr(text, lambda table, run, out: f"{list(table)} {run} {out}")
    options = "--scan a --lesion-mask b --brain-mask c --subject s --cohort d --images e --labels f --all-visits"
    monkeypatch.setattr(
        sys, "argv", ["predict", "run", *options.split(), "--out", "g", "--quiet", "--strict", "--with-skull"]
    )
    main()
    assert given == [Prediction("run", "a", "b", "c", "s", "d", "e", "f", True, "g", True, True, True)]
    printed = capsys.readouterr()
    assert printed.out == "subject,score\np,0.1235\n" and printed.err == "['subject', 'score'] run g\n"
    monkeypatch.undo()
    monkeypatch.setattr(sys, "argv", ["predict", str(tmp_path), "--cohort", "phantom"])
    with pytest.raises(SystemExit, match="Error: .*expected the folder of one run"):
        main()


@pytest.mark.parametrize(
    "change",
    [lambda m: 255 * m, lambda m: m - 1e-7, lambda m: 0.1 + 0.8 * m],
    ids=["0 and 255", "shifted", "probabilities"],
)
def test_a_mask_means_the_same_however_it_is_stored(run, drawn, tmp_path, capsys, change):
    image = nibabel.load(run.parent / "scans/s01/mask.nii.gz")
    given = {"scan": run.parent / "scans/s01/t2.nii.gz", "out": tmp_path}
    right = predict_cohort(Prediction(run, lesion_mask=run.parent / "scans/s01/mask.nii.gz", **given))
    assert "mask" not in capsys.readouterr().err
    other = save(tmp_path / "other.nii.gz", change(image.get_fdata()), image.affine)
    pd.testing.assert_frame_equal(predict_cohort(Prediction(run, lesion_mask=other, **given)), right)
    (_, mask, _, _), _ = drawn["s01"]
    assert np.array_equal(mask, image.get_fdata()[..., 3] != 0)
    said = "The lesion mask of 1 of 1 subjects contains probabilities, thresholded at 0.5 (s01)."
    assert (said in capsys.readouterr().err) == (change(np.zeros(1))[0] == 0.1)


def test_a_grey_background_is_refused_unless_it_is_meant_or_there_is_a_brain_mask(run, drawn, tmp_path, capsys):
    image = nibabel.load(run.parent / "scans/s01/t2.nii.gz")
    grey = save(tmp_path / "grey.nii.gz", np.where(image.get_fdata() == 0, 37, image.get_fdata()), image.affine)
    given = {"lesion_mask": run.parent / "scans/s01/mask.nii.gz", "out": tmp_path}
    with pytest.raises(InputError, match=r"grey: .*a background of 37 .*--brain-mask.*--with-skull"):
        predict_cohort(Prediction(run, scan=grey, **given))
    right = predict_cohort(Prediction(run, scan=run.parent / "scans/s01/t2.nii.gz", **given))
    brain = save(tmp_path / "brain.nii.gz", image.get_fdata() != 0, image.affine)
    capsys.readouterr()
    masked = predict_cohort(Prediction(run, scan=grey, brain_mask=brain, **given))
    assert masked["score"][0] == right["score"][0] and "--with-skull" not in capsys.readouterr().err
    meant = predict_cohort(Prediction(run, scan=grey, with_skull=True, **given))
    assert abs(meant["score"][0] - right["score"][0]) > 1e-6
    assert "--with-skull: the run was trained on skull-stripped scans" in capsys.readouterr().err


def test_a_run_that_learnt_with_skull_takes_it(run, drawn, tmp_path, capsys):
    image = nibabel.load(run.parent / "scans/s01/t2.nii.gz")
    grey = save(tmp_path / "grey.nii.gz", np.where(image.get_fdata() == 0, 37, image.get_fdata()), image.affine)
    other = tmp_path / "run"
    shutil.copytree(run, other)
    content = runs.read_json(other / "recipe.json")
    content["recipe"]["with_skull"] = True
    write_json(content, other / "recipe.json")
    predict_cohort(Prediction(other, scan=grey, lesion_mask=run.parent / "scans/s01/mask.nii.gz", out=tmp_path))
    assert "--with-skull" not in capsys.readouterr().err


@pytest.mark.integration
def test_real_masks_give_one_score(run, real_data, tmp_path):
    folder = real_data.parent / "cases" / "masks"
    rows = {
        name: predict_cohort(
            Prediction(run, scan=folder / "t1gd.nii.gz", lesion_mask=folder / f"mask_{name}.nii.gz", out=tmp_path)
        ).iloc[0]
        for name in ("right", "shifted")
    }
    assert rows["right"].equals(rows["shifted"]) and rows["right"]["lesion_ml"] == pytest.approx(74.4, abs=0.05)


def test_whom_to_predict_is_read_as_asked(run, monkeypatch):
    given = {}

    def read(*names, **settings):
        given.update(settings, names=names)
        raise InputError("a stop", "here", "")

    monkeypatch.setattr("glioma_idh.cohorts.read", read)
    with pytest.raises(InputError, match="a stop"):
        predict_cohort(Prediction(run, cohort="egd", images="here", labels="sheet.csv", all_visits=True))
    assert given["names"] == ("egd", Path("here"), Path("sheet.csv"))
    assert (given["sequences"], given["all_visits"]) == (["t2"], True)
