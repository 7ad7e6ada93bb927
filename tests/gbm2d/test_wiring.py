"""What reaches the training and comes back from it, from the command's recipe to its tables.

`keras.Model.fit` is replaced by a recorder that trains nothing: it keeps what it is given, and leaves weights that
tell the epoch. Everything else runs as it does for a user.
"""

import itertools
import shutil
from dataclasses import dataclass, field, replace
from types import SimpleNamespace

import keras
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from glioma_idh import runs
from glioma_idh.cohorts.table import read_table
from glioma_idh.files import write_json
from glioma_idh.gbm2d import Job, Recipe, build_cnn
from glioma_idh.gbm2d.augmentation import training_batches
from glioma_idh.gbm2d.fit import _fit, train_split
from glioma_idh.gbm2d.inference import score_slices
from glioma_idh.gbm2d.model import compile_network
from glioma_idh.gbm2d.preprocessing import prepare_subject
from glioma_idh.gbm2d.train import train_runs
from glioma_idh.training import callbacks
from glioma_idh.training.splits import make_splits
from tests.conftest import write_cohort

RECIPE = Recipe(
    sequence=("T2",), num_splits=2, epochs=7, batch_size=12, seed=3, split_seed=5, rotation_deg=(20.0, 70.0),
    learning_rate=0.02, size=32, test_fraction=0.25, min_test_mutants=4, filters=(4, 6), units=(16,),
)  # fmt: skip
SET_ASIDE = {"s01": "the same voxels as T2 of s00", "s20": "an empty label"}


@dataclass
class Recorder:
    """What each training was given, and what it left."""

    trainings: list = field(default_factory=list)
    angles_deg: list = field(default_factory=list)

    def rotate(self, images, angles_deg):
        """In place of `rotate_batch`: the slices stay as they are, so that they can be told from one another."""
        self.angles_deg.append(angles_deg)
        return images

    def fit(self, network, batches, **options):
        """In place of `keras.Model.fit`: weights grow by a tenth an epoch; the first is the best on the test set."""
        start, steps = network.get_weights(), options["steps_per_epoch"]
        self.angles_deg.clear()
        given = list(itertools.islice(batches, steps + 1))
        kept = SimpleNamespace(network=network, start=start, batches=given[:steps], next_epoch=given[steps], **options)
        kept.angles_deg = list(self.angles_deg)
        self.trainings.append(kept)
        callbacks = keras.callbacks.CallbackList(options["callbacks"], model=network, epochs=options["epochs"])
        callbacks.on_train_begin()
        for epoch in range(options["initial_epoch"], options["epochs"]):
            callbacks.on_epoch_begin(epoch)
            network.set_weights([weight * 1.1 ** (epoch + 1) for weight in start])
            logs = {"loss": 1.0 + epoch, "accuracy": 1 / (1 + epoch)}
            callbacks.on_epoch_end(epoch, logs | {f"val_{name}": value for name, value in logs.items()})
        callbacks.on_train_end()


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """The command in its default mode, 40 subjects, 15 mutants: s01 is s00 again, s20 unlabelled, s04 also s03."""
    folder = tmp_path_factory.mktemp("wiring")
    path = write_cohort(folder, num_subjects=40, num_mutant=15)
    table = pd.read_csv(path, dtype=str).set_index("subject")
    table.loc["s01", ["t2", "lesion_mask"]] = table.loc["s00", ["t2", "lesion_mask"]]
    table.loc["s20", "idh"] = ""
    table.loc["s04", "patient"] = "s03"
    table["cohort"] = "phantom"
    truth = pd.DataFrame({"subject": table.index, "d_t2": 2, "z_t2": np.sin(range(40)), "d_adc": 1, "z_adc": range(40)})
    truth[::-1].to_csv(folder / "scans/truth.csv", index=False)  # as beside a phantom's scans, in another order
    table.reset_index().to_csv(path, index=False)
    with pytest.MonkeyPatch.context() as patch:
        kept = Recorder()
        patch.setattr(keras.Model, "fit", lambda network, x, **options: kept.fit(network, x, **options))
        patch.setattr("glioma_idh.gbm2d.augmentation.rotate_batch", kept.rotate)
        recipe = replace(RECIPE, cohort=str(path))
        trained = train_runs(recipe, Job(run_dir=folder / "run", jobs=1, quiet=True))
    rows = read_table(path).set_index("subject", drop=False)
    seen = {subject: prepare_subject(row, "t2", 32) for subject, row in rows.iterrows() if subject not in SET_ASIDE}
    return SimpleNamespace(
        run=folder / "run",
        recipe=recipe,
        trainings=kept.trainings,
        metrics={name: run.metrics for name, run in trained.items()},
        labels=rows["idh"].drop(list(SET_ASIDE)).astype(int),
        slices={subject: pixels for subject, (pixels, *_) in seen.items()},
        truth=truth.set_index("subject"),
        lesion_ml={subject: lesion_ml for subject, (_, lesion_ml, *_) in seen.items()},
        names={pixels.tobytes(): subject for subject, (pixels, *_) in seen.items()},
        splits=pd.read_csv(folder / "run/splits.csv"),
    )


def subjects_of(done, slices) -> list[str]:
    return [done.names[pixels.tobytes()] for pixels in slices]


def part_of(done, index, part) -> set[str]:
    rows = done.splits[(done.splits["repeat"] == index + 1) & (done.splits["part"] == part)]
    return set(rows["subject"])


def test_the_default_mode_draws_hold_outs_as_the_recipe_says(done):
    assert Recipe().splits == done.recipe.splits == "holdout"
    assert len(done.trainings) == 2
    assert done.splits[["repeat", "split"]].drop_duplicates().to_numpy().tolist() == [[1, 1], [2, 2]]
    patients = done.splits["subject"].replace("s04", "s03")
    for index in range(2):
        test, training = part_of(done, index, "test"), part_of(done, index, "train")
        assert test | training == set(done.labels.index) and not test & training
        assert len(set(patients[done.splits["subject"].isin(test)])) == 10  # a quarter of 37 patients, rounded up
        assert done.labels[sorted(test)].sum() >= 4
        assert len({"s03", "s04"} & test) != 1
    assert part_of(done, 0, "test") != part_of(done, 1, "test")


def test_the_hold_outs_are_those_of_the_split_seed(done):
    """What the seed decides on, weights, order and angles, is held to seed 3 below."""
    cohort = read_table(done.run / "cohort.csv").astype({"idh": int})
    expected = {seed: make_splits(replace(RECIPE, seed=seed, split_seed=None), cohort) for seed in (3, 5)}
    assert done.splits.equals(expected[5]) and not done.splits.equals(expected[3])


def test_copies_under_other_patients_and_the_unlabelled_are_set_aside(done):
    exclusions = pd.read_csv(done.run / "exclusions.csv").set_index("subject")["found"].to_dict()
    assert {subject: found.split(" (")[0] for subject, found in exclusions.items()} == SET_ASIDE
    assert exclusions["s01"].endswith("scans/s00/t2.nii.gz), and 1 more images like this")
    assert set(pd.read_csv(done.run / "cohort.csv")["subject"]) == set(done.labels.index)


@pytest.mark.parametrize("index", [0, 1])
def test_the_training_part_is_trained_on_balanced_and_with_its_own_labels(done, index):
    kept = done.trainings[index]
    slices, targets = (np.concatenate(parts) for parts in zip(*kept.batches, strict=True))
    subjects = subjects_of(done, slices)
    assert set(subjects) == part_of(done, index, "train")
    assert np.array_equal(targets, np.eye(2)[done.labels[subjects]])
    size = done.labels[sorted(set(subjects))].value_counts().max()
    assert targets.sum(axis=0).tolist() == [size, size]
    assert subjects != sorted(subjects)
    assert [len(x) for x, _ in kept.batches[:-1]] == [12] * (kept.steps_per_epoch - 1)
    assert kept.steps_per_epoch == -(-2 * size // 12) == kept.network.steps_per_execution


@pytest.mark.parametrize("index", [0, 1])
def test_every_slice_of_an_epoch_is_turned_by_an_angle_of_the_recipe(done, index):
    first, second = done.trainings[index].angles_deg
    assert len(first) == len(second) == sum(len(x) for x, _ in done.trainings[index].batches)
    for angles_deg in (first, second):
        assert 20 <= angles_deg.min() < 30 and 60 < angles_deg.max() <= 70
        assert len(set(angles_deg)) == len(angles_deg)
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("index", [0, 1])
def test_the_learning_curve_is_that_of_the_test_part(done, index):
    kept = done.trainings[index]
    slices, targets = kept.validation_data
    subjects = subjects_of(done, slices)
    assert sorted(subjects) == sorted(part_of(done, index, "test"))
    assert np.array_equal(targets, np.eye(2)[done.labels[subjects]])
    assert kept.validation_batch_size == len(subjects) and kept.validation_freq == 1
    history = pd.read_csv(done.run / f"split_{index + 1}/history.csv")
    assert history["epoch"].tolist() == list(range(1, 8))
    assert history["test_loss"].tolist() == history["loss"].tolist() == list(range(1, 8))


@pytest.mark.parametrize("index", [0, 1])
def test_the_recipe_s_numbers_reach_the_training(done, index):
    kept = done.trainings[index]
    assert (kept.initial_epoch, kept.epochs, kept.shuffle) == (0, 7, False)
    assert type(kept.network.optimizer) is keras.optimizers.Adam
    assert float(kept.network.optimizer.learning_rate) == pytest.approx(0.02)
    assert kept.network.loss == "categorical_crossentropy"
    assert kept.network.input_shape == (None, 32, 32, 1)
    widths = [weights.shape[-1] for weights in kept.start if weights.ndim > 1]
    assert widths == [4, 6, 16, 2]


@pytest.mark.parametrize("index", [0, 1])
def test_weights_order_and_angles_come_from_the_seed_and_the_split(done, index, monkeypatch):
    kept = done.trainings[index]
    keras.utils.set_random_seed(int(np.random.SeedSequence([3, index]).generate_state(1)[0]))
    for drawn, given in zip(build_cnn((32, 32, 1), (4, 6), (16,)).get_weights(), kept.start, strict=True):
        assert np.array_equal(drawn, given)
    cohort = pd.read_csv(done.run / "cohort.csv")
    trained = cohort[cohort["subject"].isin(part_of(done, index, "train"))]
    slices = np.stack([done.slices[subject] for subject in trained["subject"]])
    expected = training_batches_unturned(monkeypatch, slices, trained["idh"].to_numpy(), [3, index])
    assert all(np.array_equal(x, y) for (x, _), (y, _) in zip(kept.batches, expected, strict=False))


def training_batches_unturned(monkeypatch, slices, labels, seed):
    monkeypatch.setattr("glioma_idh.gbm2d.augmentation.rotate_batch", lambda images, _: images)
    return list(itertools.islice(training_batches(slices, labels, 12, (20.0, 70.0), seed, 0), 4))


def test_two_splits_start_from_other_weights(done):
    assert not np.array_equal(done.trainings[0].start[0], done.trainings[1].start[0])


@pytest.mark.parametrize("index", [0, 1])
def test_the_network_kept_is_that_of_the_last_epoch(done, index):
    """Not that of the epoch with the best test loss, which is the first here."""
    saved = keras.models.load_model(done.run / f"split_{index + 1}/model.keras", compile=False)
    for weights, start in zip(saved.get_weights(), done.trainings[index].start, strict=True):
        assert weights == pytest.approx(start * 1.1**7, rel=1e-6)
    assert not (done.run / f"split_{index + 1}/checkpoint.weights.h5").exists()


@pytest.mark.parametrize("index", [0, 1])
def test_the_test_part_is_predicted_by_the_kept_network(done, index):
    predictions = pd.read_csv(done.run / f"split_{index + 1}/predictions.csv").set_index("subject")
    assert set(predictions.index) == part_of(done, index, "test") and predictions.index.is_unique
    network = build_cnn((32, 32, 1), (4, 6), (16,))
    network.set_weights([start * 1.1**7 for start in done.trainings[index].start])
    slices = np.stack([done.slices[subject] for subject in predictions.index])
    scores = np.array(network(slices))
    assert predictions["score"].to_numpy() == pytest.approx(scores[:, 1], abs=1e-5)
    assert np.abs(scores[:, 1] - scores[:, 0]).max() > 0.1  # the other column would be seen
    assert predictions["score"].round(4).nunique() > 5  # and so would be the score of another subject
    assert predictions["truth"].to_dict() == done.labels[predictions.index].to_dict()
    assert predictions["lesion_ml"].to_dict() == pytest.approx({s: done.lesion_ml[s] for s in predictions.index})
    assert (predictions["patient"] == predictions.index.to_series().replace("s04", "s03")).all()
    assert set(predictions["repeat"]) == set(predictions["split"]) == {index + 1}


def test_the_run_s_predictions_and_numbers_are_those_of_its_splits(done, tmp_path):
    together = pd.read_csv(done.run / "predictions.csv")
    parts = [pd.read_csv(done.run / f"split_{index + 1}/predictions.csv") for index in range(2)]
    pd.testing.assert_frame_equal(together, pd.concat(parts, ignore_index=True))
    metrics = runs.read_json(done.run / "metrics.json")
    assert list(done.metrics) == ["t2"]
    write_json(done.metrics["t2"], tmp_path / "metrics.json")  # in which NaN is null
    assert runs.read_json(tmp_path / "metrics.json") == metrics
    for part, numbers in zip(parts, metrics["per_split"], strict=True):
        assert numbers["accuracy"] == pytest.approx(((part["score"] >= 0.5) == part["truth"]).mean())


def test_the_best_possible_auc_is_that_of_what_was_planted_in_the_tested(done):
    planted = pd.read_csv(done.run / "planted.csv").set_index("subject")["score"]
    assert planted.to_dict() == pytest.approx((2 * done.truth["z_t2"])[list(done.labels.index)].to_dict())
    metrics = done.metrics["t2"]
    expected = []
    for index in range(2):
        tested = sorted(part_of(done, index, "test"))
        expected.append(roc_auc_score(done.labels[tested], done.truth.loc[tested, "z_t2"]))
    assert [split["best_possible_auc"] for split in metrics["per_split"]] == pytest.approx(expected)
    assert expected[0] != expected[1] and metrics["synthetic"] is True


def test_slices_are_kept_with_the_subjects_they_belong_to(done):
    with np.load(done.run / "slices.npz") as kept:
        slices, subjects = kept["slices"], kept["subjects"].tolist()
    assert subjects_of(done, slices) == subjects == pd.read_csv(done.run / "cohort.csv")["subject"].tolist()


def test_callbacks_save_every_25_epochs_and_show_how_far_it_is(done):
    given = {type(callback): callback for callback in done.trainings[0].callbacks}
    checkpoint = given[callbacks.Checkpoint]
    assert (checkpoint.every, checkpoint.steps_per_epoch) == (25, done.trainings[0].steps_per_epoch)
    assert checkpoint.file == done.run / "split_1/checkpoint.weights.h5"
    bar = {"what": "T2, split 1/2", "position": 0, "quiet": True, "unit": "epoch"}
    assert given[callbacks.Progress].settings == bar


@pytest.mark.parametrize(("epochs", "every"), [(500, 5), (99, 1), (250, 2)])
def test_the_test_curve_has_about_a_hundred_points(monkeypatch, tmp_path, epochs, every):
    given = {}
    monkeypatch.setattr(keras.Model, "fit", lambda *_, **options: given.update(options))
    slices, labels = np.zeros((4, 8, 8, 1), np.float32), np.array([0, 0, 0, 1])
    network = build_cnn((8, 8, 1), (2,), (2,))
    _fit(network, Recipe(epochs=epochs), (slices, labels), (slices, labels), [0], tmp_path, [])
    assert (given["validation_freq"], given["epochs"]) == (every, epochs)


def test_a_split_that_is_done_is_not_trained_again(done, tmp_path, monkeypatch):
    run = shutil.copytree(done.run, tmp_path / "run")
    monkeypatch.setattr(keras.Model, "fit", lambda *_, **__: pytest.fail("trained again"))
    before = (run / "split_2/model.keras").stat().st_mtime_ns
    assert train_split(done.recipe, run, 1) == 1
    assert (run / "split_2/model.keras").stat().st_mtime_ns == before


def test_a_training_goes_on_after_the_epochs_of_its_checkpoint(monkeypatch, tmp_path):
    slices = np.random.default_rng(0).normal(size=(6, 8, 8, 1)).astype(np.float32)
    labels, recipe = np.array([0, 0, 0, 0, 1, 1]), Recipe(epochs=5, batch_size=4, rotation_deg=(0, 90))
    saved, resumed = build_cnn((8, 8, 1), (2,), (2,)), build_cnn((8, 8, 1), (2,), (2,))
    compile_network(saved, 0.1, 2)
    saved.optimizer.build(saved.trainable_variables)
    saved.optimizer.iterations.assign(3 * 2)  # three epochs of two steps
    checkpoint = callbacks.Checkpoint(tmp_path, 2)
    checkpoint.set_model(saved)
    checkpoint.rows = [{"epoch": epoch, "loss": 1.0} for epoch in (1, 2, 3, 4)]
    checkpoint.save()

    given = []
    monkeypatch.setattr(keras.Model, "fit", lambda _, batches, **options: given.append((batches, options)))
    part = slices, labels
    kept = _fit(resumed, recipe, part, part, [7], tmp_path, [])
    for one, other in zip(saved.get_weights(), resumed.get_weights(), strict=True):
        assert np.array_equal(one, other)
    ((batches, options),) = given
    assert (options["initial_epoch"], options["epochs"]) == (3, 5)
    (x, y), (expected_x, expected_y) = next(batches), next(training_batches(slices, labels, 4, (0, 90), [7], 3))
    assert np.array_equal(x, expected_x) and np.array_equal(y, expected_y)
    assert [row["epoch"] for row in kept.rows] == [1, 2, 3]

    _fit(resumed, replace(recipe, epochs=3), part, part, [7], tmp_path, [])
    assert len(given) == 1  # nothing is left to train
    kept.discard()
    kept.discard()
    assert not kept.file.exists()


def test_scores_of_many_slices_keep_their_order():
    slices = np.arange(600, dtype=np.float32).reshape(600, 1, 1, 1)
    networks = [lambda batch, k=k: np.concatenate([batch[:, 0, 0] * 0, batch[:, 0, 0] + k], axis=1) for k in (0, 1000)]
    scores = score_slices(slices, networks)
    assert np.array_equal(scores, np.arange(600)[:, None] + [0, 1000])
