"""What a training is given, and what becomes of it, held against recipe, cohort and splits; nothing is trained."""

from dataclasses import replace
from pathlib import Path

import keras
import nibabel
import numpy as np
import pandas as pd
import pytest

from glioma_idh.runs import read_json
from glioma_idh.sgp3d import Job, Recipe, fit
from glioma_idh.sgp3d.augmentation import random_mask, training_batches
from glioma_idh.sgp3d.cache import CachedSubject
from glioma_idh.sgp3d.method import METHOD
from glioma_idh.sgp3d.preprocessing import NUM_SLICES, lesion_slices
from glioma_idh.training import callbacks, device, pipeline
from glioma_idh.training.cohort import TrainingCohort
from glioma_idh.training.pipeline import begin_runs, list_trainings
from glioma_idh.training.splits import make_splits
from tests.sgp3d.conftest import GRID, Rehearsal, Stop, write_four

RECIPE = Recipe(
    shape=(16, 32, 16),
    num_splits=2,
    epochs=7,
    batch_size=3,
    learning_rate=1e-3,
    idh_learning_rate=2e-4,
    detach_k=True,
    dropout=0.2,
    shift_fraction=0.25,
    move_probability=0.9,
    smoothing_voxels=5.0,
    filters=2,
    seed=3,
    split_seed=5,
)  # each another number than by default
SCORES = {"dice": 0.5, "hd95_mm": 1.0, "num_lesions": 1, "num_lesions_found": 1, "num_false_lesions": 0}


class Rehearsed:
    """A whole command whose trainings are rehearsed, and what was asked on the way."""

    def __init__(self, folder: Path):
        self.rehearsal, self.scored, self.written, self.compared = Rehearsal(), [], [], []
        self.run = folder / "run"
        cohort = write_four(folder)
        table = pd.read_csv(cohort, dtype=str)
        table.loc[table["subject"] == "s02", "idh"] = ""
        table.to_csv(cohort, index=False)
        self.labels = table.set_index("subject")["idh"]
        self.recipe = replace(RECIPE, cohort=str(cohort))

    def go(self):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(fit.JointNetwork, "fit", lambda joint, *given, **more: self.rehearsal(joint, *given, **more))
            patch.setattr(fit, "score_subject", self.score)
            patch.setattr("glioma_idh.training.pipeline.finish_run", self.written.append)
            patch.setattr("glioma_idh.training.pipeline.compare_runs", self.compare)
            return pipeline.train(self.recipe, Job(run_dir=self.run, jobs=1, quiet=True), METHOD)

    def score(self, network, row, learns):
        """A score that tells the subject, and a lesion whose size does."""
        self.scored.append((network, row["subject"], learns))
        number = int(row["subject"][1:])
        lesion = np.zeros(GRID, np.uint8)
        lesion.flat[: number + 1] = 1
        return {"score": number / 100, "predicted_ml": float(number), **SCORES}, lesion

    def compare(self, folder, folders, *given):
        self.compared.append((folder, folders, *given))

    def subjects(self, index: int, part: str) -> list[str]:
        """Of a part of a split, in the order of the cohort."""
        splits, cohort = pd.read_csv(self.run / "splits.csv"), pd.read_csv(self.run / "cohort.csv")
        chosen = splits[(splits["split"] == index + 1) & (splits["part"] == part)]["subject"]
        return [subject for subject in cohort["subject"] if subject in set(chosen)]

    def stored(self, subjects: list[str]) -> tuple[list, list, np.ndarray]:
        """Scans, masks and labels, from the cohort as it was written."""
        folders = pd.read_csv(self.run / "cohort.csv").set_index("subject")["prepared"]
        stored = [CachedSubject(Path(folders[subject])) for subject in subjects]
        labels = np.array([float(self.labels[subject] or "nan") for subject in subjects], np.float32)
        return [one.scans() for one in stored], [one.mask() for one in stored], labels


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory):
    """A command in which all is real but the training, the scoring of a subject, and what is written last."""
    rehearsed = Rehearsed(tmp_path_factory.mktemp("rehearsed"))
    rehearsed.returned = rehearsed.go()
    return rehearsed


def assert_batches(found, expected):
    for (scans, targets), (expected_scans, expected_targets) in zip(found, expected, strict=False):
        assert np.array_equal(scans, expected_scans) and targets.keys() == expected_targets.keys()
        for name, values in expected_targets.items():
            assert np.array_equal(targets[name], values, equal_nan=name == "idh"), name


def test_nobody_is_trained_on_and_tested_and_everybody_labelled_is_tested_once(rehearsed):
    tested = [rehearsed.subjects(index, "test") for index in (0, 1)]
    assert sorted(tested[0] + tested[1]) == [f"s{number:02}" for number in range(8) if number != 2]
    for index in (0, 1):
        assert set(rehearsed.subjects(index, "train")) == set(rehearsed.labels.index) - set(tested[index])


def test_the_splits_are_those_of_the_split_seed(rehearsed):
    """What the seed decides on, weights, order and dropout, is held to seed 3 below."""
    cohort = pd.read_csv(rehearsed.run / "cohort.csv")
    expected = {seed: make_splits(replace(RECIPE, seed=seed, split_seed=None), cohort) for seed in (3, 5)}
    found = pd.read_csv(rehearsed.run / "splits.csv")
    assert found.equals(expected[5]) and not found.equals(expected[3])


@pytest.mark.parametrize("index", [0, 1])
def test_a_split_is_trained_on_its_training_subjects_moved_as_the_recipe_says(rehearsed, index):
    given = rehearsed.rehearsal.trainings[index]
    subjects = rehearsed.subjects(index, "train")
    assert "s02" in subjects and len(given.batches) == 2  # 4 or 5 subjects, 3 a step
    moves = 3, [3, index], 0, 0.9, 0.25
    assert_batches(given.batches, training_batches(*rehearsed.stored(subjects), *moves))


@pytest.mark.parametrize("index", [0, 1])
def test_a_split_s_curve_is_that_of_its_test_subjects_as_they_are(rehearsed, index):
    given = rehearsed.rehearsal.trainings[index]
    subjects = rehearsed.subjects(index, "test")
    expected = zip(*rehearsed.stored(subjects), strict=True)
    assert len(given.test) == len(subjects) in (3, 4)
    assert_batches(
        given.test,
        [(scans[None], {"segmentation": mask[None], "idh": np.array([idh])}) for scans, mask, idh in expected],
    )


@pytest.mark.parametrize("index", [0, 1])
def test_epochs_steps_and_rates_are_the_recipe_s_and_the_rates_end_at_0(rehearsed, index):
    given = rehearsed.rehearsal.trainings[index]
    names = ("steps_per_epoch", "initial_epoch", "epochs", "validation_freq", "shuffle")
    assert [given.settings[name] for name in names] == [2, 0, 7, 5, False]
    first, half, last = given.rates
    assert first == pytest.approx([1e-3, 2e-4]) and half == pytest.approx([5e-4, 1e-4])
    assert last == pytest.approx([0, 0], abs=1e-12)


def test_network_and_loss_are_the_recipe_s(rehearsed):
    for given in rehearsed.rehearsal.trainings:
        joint, layers = given.joint, given.joint.network.layers
        assert (joint.targets, joint.detach_k, joint.smoothing_voxels, joint.batch_size) == ("both", True, 5.0, 3)
        assert joint.network.input_shape == (None, 16, 32, 16, 4)
        assert joint.network.get_layer("backbone_down1_first_conv").filters == 2
        rates = [layer.rate for layer in layers if hasattr(layer, "rate")]
        assert rates == [0.2] * 6 and joint.network.get_layer("backbone_full").compute_dtype == "float32"
        assert type(joint.network.get_layer("backbone_full").input._keras_history.operation).__name__ == (
            "InstanceNormalization"
        )
        assert not any(layer.name == "idh_standardisation" for layer in layers)


def test_weights_and_dropout_follow_from_seed_and_split(rehearsed):
    networks = [given.joint.network for given in rehearsed.rehearsal.trainings]
    for index, network in enumerate(networks):
        device.make_reproducible(int(np.random.SeedSequence([3, index]).generate_state(1)[0]))
        again = fit.build_network(rehearsed.recipe, to_train=True)
        assert np.array_equal(again.weights[2], network.weights[2])  # the rehearsal has changed the first
    assert not np.array_equal(networks[0].weights[2], networks[1].weights[2])


def test_no_callback_of_a_training_looks_at_the_test_loss(rehearsed):
    for index, given in enumerate(rehearsed.rehearsal.trainings):
        bar, dropout, checkpoint = given.settings["callbacks"]
        assert isinstance(bar, callbacks.Progress) and bar.watched == ("cross_entropy", "dice_loss")
        assert isinstance(dropout, callbacks.SeedDropout) and dropout.seed == [3, index] and len(dropout.layers) == 6
        assert isinstance(checkpoint, callbacks.Checkpoint)
        assert (checkpoint.steps_per_epoch, checkpoint.every) == (2, 10)
        assert checkpoint.file == rehearsed.run / f"split_{index + 1}/checkpoint.weights.h5"


def test_the_last_epoch_s_network_is_kept_whatever_the_test_loss(rehearsed):
    """The rehearsal's test loss was lowest after the second of seven epochs."""
    for index, given in enumerate(rehearsed.rehearsal.trainings):
        folder = rehearsed.run / f"split_{index + 1}"
        kept = keras.models.load_model(folder / "model.keras")
        trained = {weight.path: np.array(weight) for weight in given.joint.network.weights}
        assert (np.array(kept.weights[0]) == 7).all() and kept.weights[0].path == given.joint.network.weights[0].path
        assert all(np.array_equal(weight, trained[weight.path]) for weight in kept.weights)
        history = pd.read_csv(folder / "history.csv")
        assert history["epoch"].tolist() == [1, 2, 3, 4, 5, 6, 7]
        assert history["test_loss"].tolist() == [2, 1, 2, 3, 4, 5, 6]
        assert not (folder / "checkpoint.weights.h5").exists()


def test_a_split_s_network_scores_its_own_test_subjects(rehearsed):
    networks = {id(network): network for network, *_ in rehearsed.scored}
    first, second = networks.values()
    scored = [(network, subject) for network, subject, _ in rehearsed.scored]
    assert scored == [(first, s) for s in rehearsed.subjects(0, "test")] + [
        (second, s) for s in rehearsed.subjects(1, "test")
    ]
    assert {learns for *_, learns in rehearsed.scored} == {("idh", "segmentation")}
    for index, network in enumerate((first, second)):
        trained = rehearsed.rehearsal.trainings[index].joint.network.weights
        expected = {weight.path: np.array(weight) for weight in trained}
        assert all(np.array_equal(weight, expected[weight.path]) for weight in network.weights)


def test_each_row_of_the_predictions_is_of_one_subject(rehearsed):
    for index in (0, 1):
        table = pd.read_csv(rehearsed.run / f"split_{index + 1}/predictions.csv")
        assert table["subject"].tolist() == table["patient"].tolist() == rehearsed.subjects(index, "test")
        assert table["truth"].tolist() == [int(rehearsed.labels[subject]) for subject in table["subject"]]
        numbers = table["subject"].str[1:].astype(int)
        assert table["score"].tolist() == pytest.approx(numbers / 100)
        assert table["predicted_ml"].tolist() == numbers.tolist() and (table["dice"] == 0.5).all()
        assert set(table["split"]) == {index + 1} and set(table["repeat"]) == {1}
        assert table["lesion_ml"].tolist() == pytest.approx([7 * 6 * 5 * 12 / 1000] * len(table))


def test_each_mask_is_its_subject_s_on_its_own_grid_and_lies_in_the_split_that_tested_it(rehearsed):
    files = [sorted((rehearsed.run / f"split_{index + 1}/masks").iterdir()) for index in (0, 1)]
    for index in (0, 1):
        assert [file.name for file in files[index]] == [f"{s}.nii.gz" for s in rehearsed.subjects(index, "test")]
    assert not (rehearsed.run / "masks").exists()
    for file in files[0] + files[1]:
        mask = nibabel.load(file)
        assert np.asarray(mask.dataobj).sum() == int(file.name[1:3]) + 1
        assert np.allclose(mask.affine, np.diag([-2, -2, 3, 1]))


def test_the_run_s_numbers_are_asked_for_by_its_name(rehearsed):
    name = "SGPNet, k held constant"
    assert rehearsed.written == [rehearsed.run]
    ((folder, folders, new, baselines),) = rehearsed.compared
    assert (folder, folders, new) == (rehearsed.run, {name: rehearsed.run}, {name: None})
    assert baselines.keys() == {"mask of the whole image", "FLAIR above a threshold"}
    assert rehearsed.returned == {name: rehearsed.run}


def begun(folder, cohort, recipe):
    """The tables of a run on a cohort that has begun."""
    recipe = replace(recipe, cohort=str(cohort))
    job = Job(run_dir=folder / "run", quiet=True)
    begin_runs(list_trainings(recipe, job, METHOD), TrainingCohort(recipe, job).table, job, METHOD)
    return [pd.read_csv(folder / "run" / f"{name}.csv") for name in ("cohort", "splits", "exclusions")]


@pytest.mark.parametrize(("targets", "used"), [("both", 7), ("segmentation", 7), ("idh", 6), ("random-masks", 6)])
def test_who_has_no_label_teaches_segmentation_alone(tmp_path, edit_table, targets, used):
    cohort = write_four(tmp_path, num_subjects=7, num_mutant=3)
    edit_table(cohort, "s05", "idh", "")
    subjects, splits, exclusions = begun(tmp_path, cohort, replace(RECIPE, targets=targets, detach_k=False))
    assert len(subjects) == used and ("s05" in set(subjects["subject"])) == (used == 7)
    assert set(splits[splits["subject"] == "s05"]["part"]) == ({"train"} if used == 7 else set())
    assert exclusions["subject"].tolist() == ([] if used == 7 else ["s05"])


def test_one_scan_under_two_patients_is_used_once(tmp_path):
    cohort = write_four(tmp_path, num_subjects=6, num_mutant=3)
    table = pd.read_csv(cohort, dtype=str)
    files = ["t1", "t1gd", "t2", "flair", "lesion_mask"]
    table.loc[4, files] = table.loc[3, files]
    table.to_csv(cohort, index=False)
    subjects, splits, exclusions = begun(tmp_path, cohort, RECIPE)
    assert exclusions["subject"].tolist() == ["s04"]
    assert "s04" not in set(subjects["subject"]) | set(splits["subject"]) and len(subjects) == 5


@pytest.mark.parametrize(
    ("network", "targets", "row"),
    [("unet3d", "segmentation", {"dice": 0.920}), ("sgpnet", "random-masks", {})],
)
def test_a_run_keeps_the_printed_results_of_its_own_network(tmp_path, network, targets, row):
    recipe = replace(RECIPE, network=network, targets=targets, detach_k=False)
    begun(tmp_path, write_four(tmp_path, num_subjects=6, num_mutant=3), recipe)
    assert read_json(tmp_path / "run/recipe.json")["published"] == {name: [mean, None] for name, mean in row.items()}


def one_split(folder, recipe, rehearse, index=0):
    """What the training of one split is given."""
    cohort, splits, _ = begun(folder, write_four(folder, num_subjects=4, num_mutant=2), recipe)
    rehearsal = rehearse(stops=True)
    with pytest.raises(Stop):
        fit.train_split(recipe, folder / "run", index)
    parts = splits[splits["split"] == index + 1].set_index("subject")["part"]
    train = cohort[cohort["subject"].map(parts) == "train"]
    return rehearsal.trainings[0], train, cohort[cohort["subject"].map(parts) == "test"]


def test_random_masks_are_drawn_by_the_number_in_the_cohort_for_training_and_test(tmp_path, rehearse):
    recipe = replace(RECIPE, targets="random-masks", detach_k=False, move_probability=0.0, batch_size=1)
    given, train, test = one_split(tmp_path, recipe, rehearse)
    scans = {number: np.array(CachedSubject(Path(row["prepared"])).scans()) for number, row in train.iterrows()}
    seen = {}
    for images, targets in given.batches:
        (number,) = (number for number, own in scans.items() if np.array_equal(own, images[0]))
        seen[number] = targets["segmentation"][0]
    assert sorted(seen) == train.index.tolist()
    seen |= {number: targets["segmentation"][0] for number, (_, targets) in zip(test.index, given.test, strict=True)}
    assert sorted(seen) == [0, 1, 2, 3]
    assert all(np.array_equal(mask, random_mask(number, RECIPE.shape, [3])) for number, mask in seen.items())
    assert given.joint.targets == "random-masks" and not given.joint.detach_k


def test_slices_are_those_through_each_subject_s_moved_lesion_with_its_label(tmp_path, rehearse):
    recipe = replace(RECIPE, network="resnet2d", targets="idh", batch_size=2, detach_k=False)
    given, train, test = one_split(tmp_path, recipe, rehearse)
    stored = [CachedSubject(Path(folder)) for folder in train["prepared"]]
    arrays = [one.scans() for one in stored], [one.mask() for one in stored], train["idh"].to_numpy()
    scans, targets = next(training_batches(*arrays, 2, [3, 0], 0, 0.9, 0.25))
    expected = [lesion_slices(volume, mask) for volume, mask in zip(scans, targets["segmentation"], strict=True)]
    assert_batches(given.batches, [(np.concatenate(expected), {"idh": np.repeat(targets["idh"], NUM_SLICES)})])
    assert len(given.batches) == 1 and given.joint.batch_size == 2 * NUM_SLICES
    assert given.joint.network.name == "resnet2d" and given.joint.network.input_shape == (None, 16, 32, 4)
    assert given.rates[0] == pytest.approx([1e-3]) and given.rates[-1] == pytest.approx([0], abs=1e-12)
    tested = [CachedSubject(Path(folder)) for folder in test["prepared"]]
    assert_batches(
        given.test,
        [
            (lesion_slices(one.scans(), one.mask()), {"idh": np.full(NUM_SLICES, idh)})
            for one, idh in zip(tested, test["idh"], strict=True)
        ],
    )
    assert len(given.test) == 2


def test_bfloat16_and_standardised_features_reach_the_network_and_batches_are_moved_with_their_masks(
    tmp_path, rehearse
):
    recipe = replace(RECIPE, dtype="bfloat16", standardise_features=True, move_probability=1.0)
    given, *_ = one_split(tmp_path, recipe, rehearse, index=1)
    network = given.joint.network
    assert network.get_layer("backbone_full").compute_dtype == "bfloat16"
    assert any(layer.name == "idh_standardisation" for layer in network.layers)
    for scans, targets in given.batches:
        for scan, mask in zip(scans, targets["segmentation"], strict=True):
            assert scan[..., 3][mask == 1].mean() - scan[..., 3][mask == 0].mean() > 0.8  # bright in FLAIR


@pytest.mark.integration
def test_a_killed_split_goes_on_after_its_last_checkpoint(tmp_path, rehearse, monkeypatch):
    """Ten of eleven epochs were saved when it was killed: the eleventh sees the batches of the eleventh."""
    recipe = replace(RECIPE, epochs=11, batch_size=1)
    cohort, splits, _ = begun(tmp_path, write_four(tmp_path, num_subjects=4, num_mutant=2), recipe)
    rehearsal = rehearse()
    on_epoch_end = callbacks.Checkpoint.on_epoch_end

    def kill(checkpoint, epoch, logs):
        on_epoch_end(checkpoint, epoch, logs)
        if epoch + 1 == 10:
            raise Stop

    monkeypatch.setattr(callbacks.Checkpoint, "on_epoch_end", kill)
    with pytest.raises(Stop):
        fit.train_split(recipe, tmp_path / "run", 0)
    rehearsal.stops = True
    with pytest.raises(Stop):
        fit.train_split(recipe, tmp_path / "run", 0)
    before, after = rehearsal.trainings
    assert after.settings["initial_epoch"] == 10 and (np.array(after.joint.network.weights[0]) == 10).all()
    train = splits[(splits["split"] == 1) & (splits["part"] == "train")]["subject"]
    rows = cohort[cohort["subject"].isin(train)]
    stored = [CachedSubject(Path(folder)) for folder in rows["prepared"]]
    arrays = [one.scans() for one in stored], [one.mask() for one in stored], rows["idh"].to_numpy()
    assert_batches(after.batches, training_batches(*arrays, 1, [3, 0], 10, 0.9, 0.25))
    assert not np.array_equal(before.batches[0][0], after.batches[0][0])
