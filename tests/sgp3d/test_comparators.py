"""The comparators, against counts worked out by hand, and through the door."""

from dataclasses import replace
from pathlib import Path

import keras
import nibabel
import numpy as np
import pandas as pd
import pytest

from glioma_idh.errors import InputError
from glioma_idh.runs import has_masks
from glioma_idh.sgp3d import Job, Recipe
from glioma_idh.sgp3d.cache import CachedSubject
from glioma_idh.sgp3d.comparators import densenet3d, resnet2d, unet3d
from glioma_idh.sgp3d.fit import build_network
from glioma_idh.sgp3d.model import copy_weights
from glioma_idh.sgp3d.predict import Prediction
from glioma_idh.sgp3d.prediction import predict_cohort
from glioma_idh.sgp3d.preprocessing import NUM_SLICES, lesion_slices
from glioma_idh.sgp3d.train import train_run
from glioma_idh.sgp3d.training_layers import training_factory
from glioma_idh.training import device
from tests.conftest import written_reports
from tests.sgp3d.conftest import untraced, write_four

SHAPE = (16, 16, 32)


def conv(inputs, outputs, taps, bias=True):
    return taps * inputs * outputs + bias * outputs


def norm(channels):
    return 2 * channels


def batch_norm(channels):
    return 4 * channels  # scale, shift, and two running statistics


def unet_level(inputs, first, second):
    return conv(inputs, first, 27) + norm(first) + conv(first, second, 27) + norm(second)


def test_parameters_of_the_unet_counted_by_hand():
    down = unet_level(4, 8, 16) + unet_level(16, 16, 32) + unet_level(32, 32, 64) + unet_level(64, 64, 128)
    up = sum(conv(2 * f, 2 * f, 8) + unet_level(2 * f + f, f, f) for f in (64, 32, 16))
    assert unet3d().count_params() == down + up + conv(16, 2, 1) == 1_194_426


def test_parameters_of_the_densenet_counted_by_hand():
    expected, channels = conv(4, 32, 27, bias=False), 32
    for block in range(4):
        if block:
            expected += batch_norm(channels) + conv(channels, channels // 2, 1, bias=False)
            channels //= 2
        for _ in range(4):
            expected += batch_norm(channels) + conv(channels, 64, 1, bias=False)
            expected += batch_norm(64) + conv(64, 16, 27, bias=False)
            channels += 16
    assert channels == 124 and densenet3d().count_params() == expected + batch_norm(124) + 125 == 549_357


def test_parameters_of_the_residual_network_counted_by_hand():
    def block(inputs, outputs):
        short = conv(inputs, outputs, 1, bias=False) + batch_norm(outputs) if inputs != outputs else 0
        taps = conv(inputs, outputs, 9, bias=False) + conv(outputs, outputs, 9, bias=False)
        return short + taps + 2 * batch_norm(outputs)

    expected = conv(4, 16, 9, bias=False) + batch_norm(16) + 2 * block(16, 16)
    expected += sum(block(f // 2, f) + block(f, f) for f in (32, 64, 128))
    assert resnet2d().count_params() == expected + 129 == 702_849


@pytest.mark.integration
def test_outputs_are_probabilities():
    rng = np.random.default_rng(0)
    scans = rng.normal(size=(2, *SHAPE, 4)).astype(np.float32)
    voxels = np.asarray(unet3d((*SHAPE, 4))(scans)["segmentation"])
    assert voxels.shape == (2, *SHAPE, 2) and voxels.sum(axis=-1) == pytest.approx(1, abs=1e-6)
    for network, x in ((densenet3d((*SHAPE, 4)), scans), (resnet2d((16, 32, 4)), scans[:, :, 0])):
        scores = np.asarray(network(x)["idh"])
        assert scores.shape == (2, 1) and (scores > 0).all() and (scores < 1).all()


def test_the_unet_to_train_with_has_the_numbers_of_the_one_that_is_kept():
    network, kept = unet3d((*SHAPE, 4), 2, factory=training_factory()), unet3d((*SHAPE, 4), 2)
    copy_weights(network, kept)
    scans = np.random.default_rng(0).normal(size=(1, *SHAPE, 4)).astype(np.float32)
    expected, found = (np.asarray(net(scans)["segmentation"])[..., -1] for net in (kept, network))
    assert found == pytest.approx(expected, abs=1e-5)


def test_slices_run_from_the_lesion_s_lowest_to_its_highest():
    scans = np.broadcast_to(np.arange(64.0)[:, None], (2, 3, 64, 4))
    mask = np.zeros((2, 3, 64))
    mask[1, 2, 10:41] = 1
    slices = lesion_slices(scans, mask)
    assert slices.shape == (NUM_SLICES, 2, 3, 4) and slices[:, 0, 0, 0].tolist() == list(range(10, 41, 2))


def test_slices_of_a_flat_lesion_come_twice_and_without_one_the_image_is_read():
    scans, mask = np.broadcast_to(np.arange(64.0)[:, None], (2, 3, 64, 4)), np.zeros((2, 3, 64))
    seen = lesion_slices(scans, mask)[:, 0, 0, 0]
    assert (seen[0], seen[-1]) == (0, 63)
    mask[..., 7:9] = 1
    assert set(lesion_slices(scans, mask)[:, 0, 0, 0]) == {7, 8}


@pytest.fixture(scope="module", params=["unet3d", pytest.param("densenet3d", marks=pytest.mark.slow), "resnet2d"])
def trained(request, tmp_path_factory):
    """A run of each comparator by the recipe alone that the door starts from; not traced, which takes longer."""
    folder = tmp_path_factory.mktemp(request.param)
    targets = "segmentation" if request.param == "unet3d" else "idh"
    recipe = Recipe(cohort=str(write_four(folder)), shape=(16, 16, 16), num_splits=2, epochs=1, learning_rate=1e-3)
    recipe = replace(recipe, network=request.param, targets=targets, filters=2)
    with untraced(), written_reports():
        train_run(recipe, Job(run_dir=folder / "run", jobs=1, quiet=True))
    return recipe, folder / "run"


@pytest.mark.integration
def test_a_comparator_trains_through_the_same_door(trained):
    """Two steps of Adam move each weight by the rate at most, as the cosine halves the second; scores are its own."""
    recipe, run = trained
    predictions = pd.read_csv(run / "predictions.csv")
    learnt, empty = ("dice", "score") if recipe.network == "unet3d" else ("score", "dice")
    assert len(predictions) == 8 and predictions[learnt].between(0, 1).all() and predictions[empty].isna().all()
    assert has_masks(run) == (recipe.network == "unet3d") and (run / "figures/boxes.png").exists()
    kept = keras.models.load_model(run / "split_1/model.keras", safe_mode=True)
    assert kept.name == recipe.network
    device.make_reproducible(int(np.random.SeedSequence([0, 0]).generate_state(1)[0]))
    start = {weight.path: np.array(weight) for weight in build_network(recipe, to_train=True).trainable_weights}
    steps = [np.abs(np.array(weight) - start[weight.path]).max() for weight in kept.weights if weight.path in start]
    assert max(steps) == pytest.approx(1.5e-3, rel=0.05) and np.median(steps) > 1e-4
    history = pd.read_csv(run / "split_1/history.csv")
    log = {"dice": "dice_loss", "score": "cross_entropy"}[learnt]
    assert history["epoch"].tolist() == [1] and history[log].item() == pytest.approx(history["loss"].item(), rel=1e-5)
    assert np.isfinite(history[f"test_{log}"]).all()
    cohort, fold = pd.read_csv(run / "cohort.csv").set_index("subject"), predictions[predictions["split"] == 1]
    for row in fold.itertuples():
        stored = CachedSubject(Path(cohort.loc[row.subject, "prepared"]))
        assert row.truth == cohort.loc[row.subject, "idh"]
        if recipe.network == "unet3d":
            found = nibabel.load(run / f"split_1/masks/{row.subject}.nii.gz").get_fdata() > 0
            mask = nibabel.load(run.parent / f"scans/{row.subject}/mask.nii.gz").get_fdata() > 0
            assert row.dice == pytest.approx(2 * (found & mask).sum() / (found.sum() + mask.sum()), abs=1e-6)
        else:
            slices = recipe.network == "resnet2d"
            seen = lesion_slices(stored.scans(), stored.mask()) if slices else np.array(stored.scans())[None]
            assert row.score == pytest.approx(np.array(kept(seen)["idh"]).mean(), abs=1e-5)


@pytest.mark.integration
def test_a_comparator_s_run_predicts_what_it_has_learnt(trained, tmp_path):
    recipe, run = trained
    table = predict_cohort(Prediction(run, cohort=recipe.cohort, out=tmp_path, quiet=True))
    assert (tmp_path / "s00.png").exists()
    if recipe.network == "unet3d":
        assert {"subject", "predicted_ml", "dice"} < set(table) and not any("score" in column for column in table)
        assert table["dice"].between(0, 1).all()
        return
    assert list(table) == ["subject", "score_1", "score_2", "score", "score_sd", "remarks"]
    tested = pd.read_csv(run / "predictions.csv").merge(table.drop(columns="score"), on="subject").query("split == 1")
    assert tested["score"].to_numpy() == pytest.approx(tested["score_1"].to_numpy(), abs=1e-5)


@pytest.mark.integration
def test_slices_of_a_new_patient_need_a_mask(trained):
    recipe, run = trained
    scans = {name: run.parent / f"scans/s00/{name}.nii.gz" for name in ("t1", "t1gd", "t2", "flair")}
    if recipe.network != "resnet2d":
        predict_cohort(Prediction(run, **scans))
        return
    with pytest.raises(InputError, match="s00: expected a lesion mask; found no mask. Give --lesion-mask"):
        predict_cohort(Prediction(run, **scans))
    assert predict_cohort(Prediction(run, **scans, lesion_mask=run.parent / "scans/s00/mask.nii.gz")).shape == (1, 6)
