"""Scores without a region, and maps, where the answer is known; and the door, from a finished run to its files."""

import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import keras
import nibabel
import numpy as np
import pandas as pd
import pytest

from glioma_idh import runs
from glioma_idh.errors import InputError
from glioma_idh.files import write_json, write_table
from glioma_idh.reporting.figures.attribution import CONDITIONS, occluded_scores_figure, occlusion_text
from glioma_idh.sgp3d import Placement, Recipe, SGPNet, attribution
from glioma_idh.sgp3d.attribution import choose_subjects, occlude_run, score_tested, summarise_occlusion
from glioma_idh.sgp3d.cache import CachedSubject, cache_cohort
from glioma_idh.sgp3d.occlude import Occlusion
from glioma_idh.sgp3d.occlusion import (
    SCORES,
    activation_map,
    find_regions,
    replace_region,
    score_occluded,
)
from glioma_idh.sgp3d.preprocessing import map_on_own_grid, standardise
from tests.sgp3d.conftest import GRID, write_four

SHAPE = (16, 16, 16)
TESTED = {"s00": 0, "s01": 0, "s03": 0, "s04": 0, "s02": 1, "s05": 1}  # subject: split, less 1; s06 is only trained on


def make_subject(seed: int, brightness: float):
    """Standardised noise in a cube of brain with a bright cube of lesion, and the lesion's mask."""
    random = np.random.default_rng(seed)
    scans, lesion = np.zeros((*SHAPE, 4), np.float32), np.zeros(SHAPE, bool)
    scans[2:14, 2:14, 2:14] = 10 + random.uniform(-1, 1, (12, 12, 12, 4))
    start = random.integers(4, 8)
    lesion[start : start + 3, 5:8, 5:8] = True
    scans[lesion] += brightness
    return np.stack([standardise(channel) for channel in np.moveaxis(scans, -1, 0)], axis=-1), lesion


def toy_network(threshold: float):
    """Its logit is the mean over all voxels of how far the first channel exceeds the threshold, times 100."""
    inputs = keras.Input((*SHAPE, 4))
    x = keras.layers.Conv3D(1, 1, activation="relu", name="first")(inputs)
    outputs = keras.layers.Dense(1, activation="sigmoid", name="idh")(keras.layers.GlobalAveragePooling3D()(x))
    network = keras.Model(inputs, {"idh": outputs})
    network.get_layer("first").set_weights([np.eye(4)[:, :1].reshape(1, 1, 1, 4, 1), np.array([-threshold])])
    network.get_layer("idh").set_weights([np.array([[100.0]]), np.zeros(1)])
    return network


def logit(probability):
    return np.log(probability / (1 - probability))


def test_regions_share_nothing_and_leave_the_background():
    scans, mask = make_subject(0, 5)
    brain = find_regions(scans, mask)
    assert not (brain.lesion & brain.rest).any()
    assert (brain.lesion | brain.rest).sum() == 12**3 and (brain.lesion | brain.rest)[2:14, 2:14, 2:14].all()
    assert brain.lesion.sum() == 3**3 + 6 * 3**2 and brain.lesion[mask].all()  # a voxel more on each face


def test_a_crop_inside_the_brain_has_no_background():
    scans, mask = make_subject(0, 5)
    brain = find_regions(scans[3:13, 3:13, 3:13], mask[3:13, 3:13, 3:13])
    assert (brain.lesion | brain.rest).all()


def test_a_lesion_that_fills_the_image_leaves_no_rest():
    scans, _ = make_subject(0, 5)
    with pytest.raises(InputError, match="expected brain outside the lesion; found none"):
        find_regions(scans, np.ones(SHAPE, bool))


def test_what_stands_in_a_region_s_place_is_the_donor_s():
    own, donor = (find_regions(*make_subject(seed, 5)) for seed in (0, 1))
    random = np.random.default_rng(0)
    replaced = replace_region(own, own.lesion, donor, random)
    outside = ~own.lesion
    for channel in range(4):
        # re-standardised as one: outside the region the former image, scaled and shifted
        assert np.corrcoef(replaced[outside][:, channel], own.scans[outside][:, channel])[0, 1] > 1 - 1e-6
        assert replaced[..., channel].mean() == pytest.approx(0, abs=1e-5)
        assert replaced[..., channel].std() == pytest.approx(1, abs=1e-5)
    there = own.lesion & donor.rest
    assert np.corrcoef(replaced[there][:, 0], donor.scans[there][:, 0])[0, 1] > 1 - 1e-6
    again = replace_region(own, own.lesion, donor, np.random.default_rng(0))
    assert np.array_equal(replaced, again)


def test_nothing_of_the_lesion_is_left_in_the_image():
    """Two subjects that differ in the lesion alone are one and the same without it, up to rounding."""
    donor = find_regions(*make_subject(1, 5))
    without = []
    for brightness in (5, 9):
        own = find_regions(*make_subject(0, brightness))
        without.append(replace_region(own, own.lesion, donor, np.random.default_rng(0)))
    assert np.allclose(*without, atol=1e-4)


def test_nothing_of_the_rest_is_left_in_the_image_not_even_its_mean_and_sd():
    """Two inputs that differ outside the lesion alone are one and the same without the rest."""
    own, donor = find_regions(*make_subject(0, 5)), find_regions(*make_subject(1, 5))
    other = own.scans.copy()
    other[own.rest] = 0.3 * other[own.rest] + 2
    replaced = [
        replace_region(brain, brain.rest, donor, np.random.default_rng(0)) for brain in (own, own._replace(scans=other))
    ]
    assert np.array_equal(*replaced)


def test_a_network_of_bright_voxels_knows_nothing_without_the_lesion_and_all_with_it_alone():
    network, donor = toy_network(1.5), find_regions(*make_subject(99, 5))
    whole, without_lesion, without_rest = [], [], []
    for seed, brightness in enumerate((4, 6, 8, 10)):
        own = find_regions(*make_subject(seed, brightness))
        scores = score_occluded(network, own, donor, np.random.default_rng(seed))
        whole.append(logit(scores["score"]))
        without_lesion.append(scores["score_without_lesion"])
        without_rest.append(logit(scores["score_without_rest"]))
    assert without_lesion == [0.5] * 4
    assert np.diff(whole).min() > 0.05 and without_rest == pytest.approx(whole, rel=0.04)


@pytest.fixture(scope="module")
def network():
    keras.utils.set_random_seed(3)
    return SGPNet((*SHAPE, 4), filters=2)


@pytest.mark.integration
def test_the_map_s_mean_and_the_bias_are_the_logit_of_the_network_s_own_score(network):
    network.get_layer("idh").bias.assign([0.7])
    scans, _ = make_subject(0, 5)
    activation, value = activation_map(network, scans)
    own = float(network.predict_on_batch(scans[None])["idh"][0, 0])
    assert activation.shape == SHAPE and activation.dtype == np.float32
    assert activation.mean(dtype=float) + 0.7 == pytest.approx(value, rel=1e-5)
    assert value == pytest.approx(logit(own), rel=1e-5)


@pytest.mark.integration
def test_the_map_follows_the_voxels_of_the_full_resolution(network):
    """With no weight on the coarse branches the map is the weighted convolution itself."""
    kernel, bias = network.get_layer("idh").get_weights()
    alone = np.zeros_like(kernel)
    alone[-2:] = 1  # the two pointwise features
    network.get_layer("idh").set_weights([alone, bias])
    scans, _ = make_subject(0, 5)
    pointwise = keras.Model(network.inputs, network.get_layer("idh_pointwise_conv").output)
    activation, _ = activation_map(network, scans)
    network.get_layer("idh").set_weights([kernel, bias])
    assert np.allclose(activation, pointwise.predict_on_batch(scans[None])[0].sum(axis=-1), atol=1e-5)


def test_a_map_comes_back_to_the_patient_s_own_axes():
    activation = np.zeros((4, 4, 4), np.float32)
    activation[0] = 2  # the patient's left
    placement = Placement(((1, 5), (0, 4), (2, 6)), (6, 4, 8), np.diag([-1.0, -1.0, 1.0, 1.0]))
    own = map_on_own_grid(activation, placement)
    assert own.shape == (6, 4, 8) and own.dtype == np.float32
    assert (own[4, :, 2:6] == 2).all() and own.sum() == activation.sum()


def test_the_surest_of_each_kind_come_first():
    table = pd.DataFrame({"subject": list("abcdef"), "truth": [1, 1, 0, 0, 1, 0]})
    table["score"] = [0.9, 0.6, 0.2, 0.1, 0.3, 0.55]
    assert choose_subjects(table, 3) == ["a", "d", "e"]
    assert choose_subjects(table, 9) == ["a", "d", "e", "b", "c", "f"]
    half = pd.DataFrame({"subject": ["g", "h"], "truth": [1, 0], "score": [0.5, 0.5]})  # called mutant from 0.5 on
    assert choose_subjects(half, 1) == ["g"] and choose_subjects(half, 9) == ["g", "h"]


def predictions_of(lesion, rest):
    """A table of 40 patients whose scores tell the truth, with others without a region."""
    truth = np.arange(40) % 2
    score = 0.3 + 0.4 * truth + np.random.default_rng(0).normal(0, 0.2, 40).clip(-0.25, 0.25)
    table = pd.DataFrame({"subject": truth.astype(str), "patient": [f"p{n}" for n in range(40)], "truth": truth})
    table = table.assign(repeat=0, split=np.arange(40) // 20)  # two test sets
    table = table.assign(score=score, score_without_lesion=lesion(score), score_without_rest=rest(score))
    return table.assign(lesion_drawn=0.25)


def test_conclusions_follow_from_the_intervals():
    noise = np.random.default_rng(1).uniform(0, 1, 40)
    numbers = summarise_occlusion(predictions_of(lambda score: noise, lambda score: score))
    assert numbers["num_patients"] == 40 and numbers["score_without_rest"]["mean_change"] == 0
    whole, lesion, rest = numbers["conclusions"]
    assert "better than chance" in whole and "not different from chance" in lesion
    assert "the lesion alone is informative" in rest
    numbers = summarise_occlusion(predictions_of(lambda score: score, lambda score: 1 - score))
    assert "the rest of the brain, or traces of the lesion's outline" in numbers["conclusions"][1]
    assert "worse than chance" in numbers["conclusions"][2]
    text = occlusion_text(numbers | {"synthetic": True})
    assert text.startswith("Synthetic phantom cohort") and "25% of the lesion voxels" in text


def test_the_auc_of_occluded_scores_compares_patients_tested_by_the_same_network():
    """All scores of one network are 0.5 higher: each test set is in order, all patients are not."""
    table = predictions_of(lambda score: score, lambda score: score)
    alone = 0.2 + 0.2 * table["truth"] + 0.01 * (np.arange(40) % 10) + 0.5 * table["split"]
    alone[[0, 1]] = [
        0.495,
        0.1,
    ]  # of 2 x 100 pairs those of one wild-type and one mutant patient, 10 + 10 - 1, are lost
    numbers = summarise_occlusion(table.assign(score_without_lesion=alone))
    found = numbers["score_without_lesion"]
    assert found["auc"] == pytest.approx(1 - 19 / 200)
    low, high = found["auc_interval"]
    assert 0.5 < low < found["auc"] < high < 1
    assert found["difference"]["difference"] == pytest.approx(found["auc"] - numbers["score"]["auc"])


def test_separate_classes_have_no_interval_and_one_class_no_curve():
    table = predictions_of(lambda score: score, lambda score: score)
    perfect = table.assign(score=table["truth"])
    assert "no confidence interval" in summarise_occlusion(perfect)["conclusions"][0]
    figure = occluded_scores_figure(table[table["truth"] == 1], synthetic=True)
    assert len(figure.axes) == 2 and len(figure.axes[0].get_lines()) == 1


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished run of two untrained networks on seven subjects, one of whom nobody tests."""
    folder = tmp_path_factory.mktemp("occlusion")
    cohort = pd.read_csv(write_four(folder, num_subjects=7, num_mutant=3), dtype={"subject": str})
    cohort = cohort.assign(cohort="csv")
    cohort, _ = cache_cohort(cohort, SHAPE, jobs=1, quiet=True)
    run = folder / "run"
    runs.begin_run(run, {"paper": "sgp3d", **asdict(Recipe(shape=SHAPE))}, {})
    write_table(cohort, run / "cohort.csv")
    splits = pd.DataFrame([(0, fold, subject, "test") for subject, fold in TESTED.items()] + [(0, 0, "s06", "train")])
    write_table(splits.set_axis(["repeat", "split", "subject", "part"], axis=1), run / "splits.csv")
    for index in range(2):
        keras.utils.set_random_seed(index)
        (run / f"split_{index + 1}").mkdir()
        SGPNet((*SHAPE, 4), filters=2).save(run / f"split_{index + 1}/model.keras")
    write_json({"synthetic": False}, run / "metrics.json")
    return run


def with_toy_networks(run, folder, **recipe):
    """A copy of the run with networks that answer at once, and other settings."""
    other = shutil.copytree(run, folder / "run", ignore=shutil.ignore_patterns("occlusion"))
    content = runs.read_json(other / "recipe.json")
    write_json(content | {"recipe": content["recipe"] | recipe}, other / "recipe.json")
    for index in range(2):
        toy_network(1).save(other / f"split_{index + 1}/model.keras")
    return other


@pytest.mark.integration
def test_the_door_scores_every_test_subject_and_draws_those_asked_for(run, capsys):
    occlude_run(Occlusion(run, subjects=("s05",), quiet=True))
    out = run / "occlusion"
    table = runs.read_table(out / "predictions.csv")
    assert dict(zip(table["subject"], table["split"], strict=True)) == TESTED
    assert table["truth"].tolist() == [int(subject < "s03") for subject in table["subject"]]
    assert table[list(SCORES)].apply(lambda column: column.between(0, 1).all()).all()
    assert {path.name for path in (out / "maps").iterdir()} == {"s05.nii.gz", "s05.png", "s05.svg"}
    assert {path.name for path in (out / "figures").iterdir()} == {"occlusion.png", "occlusion.svg"}
    assert runs.read_json(out / "metrics.json")["num_patients"] == 6
    printed = capsys.readouterr().out
    assert all(name in printed for name, *_ in CONDITIONS.values()) and "Synthetic" not in printed
    scan, drawn = nibabel.load(run.parent / "scans/s05/flair.nii.gz"), nibabel.load(out / "maps/s05.nii.gz")
    assert drawn.shape == scan.shape == GRID and np.allclose(drawn.affine, scan.affine)
    assert drawn.get_data_dtype() == np.float32
    network = keras.models.load_model(run / "split_2/model.keras")
    prepared = runs.read_table(run / "cohort.csv").set_index("subject").loc["s05", "prepared"]
    own = network.predict_on_batch(np.asarray(CachedSubject(Path(prepared)).scans())[None])["idh"][0, 0]
    assert table.set_index("subject").loc["s05", "score"] == pytest.approx(float(own), abs=1e-6)
    folders = runs.read_table(run / "cohort.csv").set_index("subject")["prepared"]
    stored = [
        CachedSubject(Path(folders[subject])) for subject in ("s05", "s02")
    ]  # s02 is the only other of its test set
    own, donor = (find_regions(subject.scans(), subject.mask() != 0) for subject in stored)
    random = np.random.default_rng([0, 5])
    random.integers(1)
    expected = score_occluded(network, own, donor, random)
    found = table.set_index("subject").loc["s05", list(expected)].astype(float)
    assert found.to_dict() == pytest.approx(expected, abs=1e-6)
    activation, value = activation_map(network, np.asarray(stored[0].scans()))
    map_of_logit = activation + (value - activation.mean())
    own_map = map_on_own_grid(map_of_logit, stored[0].placement())
    assert drawn.get_fdata() == pytest.approx(own_map, abs=1e-4 * float(np.abs(own_map).max()))
    score = table.set_index("subject").loc["s05", "score"]
    assert map_of_logit.mean() == pytest.approx(logit(score), rel=1e-3, abs=1e-4)


def test_a_donor_is_another_patient_tested_by_the_same_network(monkeypatch):
    rows = [("a", "p", 0), ("b", "p", 0), ("c", "q", 0), ("d", "r", 0), ("e", "s", 1), ("f", "t", 1)]
    tested = pd.DataFrame(rows, columns=["subject", "patient", "network"])
    monkeypatch.setattr(attribution, "_brain", lambda row: row["subject"])
    random = np.random.default_rng(0)
    donors = {
        row["subject"]: {attribution._draw_donor(row, tested, random) for _ in range(30)}
        for row in tested.to_dict("records")
    }
    assert donors == {"a": {"c", "d"}, "b": {"c", "d"}, "c": {"a", "b", "d"}, "d": {"a", "b", "c"}} | {
        "e": {"f"},
        "f": {"e"},
    }


@pytest.mark.parametrize("seed", [0, 7])
def test_what_is_drawn_follows_from_the_seed_and_the_subject_s_place(monkeypatch, seed):
    """And each is scored by its own split's network, beside its own label."""
    drawn = []

    def score(network, own, donor, random):
        drawn.append((network, own, random.integers(2**40)))
        return dict.fromkeys(SCORES, 0.5) | {"lesion_drawn": 0.0}

    monkeypatch.setattr(attribution, "_brain", lambda row: row["subject"])
    monkeypatch.setattr(attribution, "_draw_donor", lambda *_: None)
    monkeypatch.setattr("glioma_idh.sgp3d.attribution.score_occluded", score)
    rows = [("b", 1, 1), ("a", 0, 0), ("c", 1, 0)]
    tested = pd.DataFrame(rows, columns=["subject", "network", "idh"]).assign(
        patient="p", cohort="c", repeat=1, split=1
    )
    table = score_tested(tested, ["first", "second"], seed, quiet=True)
    numbers = [np.random.default_rng([seed, place]).integers(2**40) for place in range(3)]
    assert drawn == list(zip(["second", "first", "second"], ["b", "a", "c"], numbers, strict=True))
    assert table["subject"].tolist() == ["b", "a", "c"] and table["truth"].tolist() == [1, 0, 0]


def test_the_share_drawn_is_of_the_lesion_s_voxels():
    own, donor = find_regions(*make_subject(0, 5)), find_regions(*make_subject(1, 5))
    share = (own.lesion & ~donor.rest).sum() / own.lesion.sum()
    scores = score_occluded(toy_network(1.5), own, donor, np.random.default_rng(0))
    assert 0 < share < 1 and scores["lesion_drawn"] == pytest.approx(share)


@pytest.mark.parametrize(
    ("subjects", "match"),
    [
        (("nobody",), "nobody: .*expected a subject of the run; found no such id"),
        (("s06",), "s06: expected a test subject; found one that was only in training sets"),
    ],
)
def test_whom_it_cannot_draw_it_names(run, tmp_path, subjects, match):
    with pytest.raises(InputError, match=match):
        occlude_run(Occlusion(run, out=tmp_path, subjects=subjects))


@pytest.mark.parametrize(
    ("recipe", "match"),
    [
        ({"targets": "segmentation"}, "expected a run whose networks predict IDH; found a run of segmentation only"),
        ({"network": "resnet2d"}, "expected a network that reads volumes; found resnet2d, which reads slices"),
        ({"paper": "gbm2d"}, "expected a run of glioma_idh.sgp3d.train; found a run of gbm2d"),
    ],
)
def test_runs_that_cannot_be_asked(tmp_path, recipe, match):
    runs.begin_run(tmp_path, {"paper": "sgp3d", **asdict(Recipe(shape=SHAPE)), **recipe}, {})
    write_json({"synthetic": False}, tmp_path / "metrics.json")
    write_table(pd.DataFrame({"subject": ["s00"], "cohort": ["x"]}), tmp_path / "cohort.csv")
    with pytest.raises(InputError, match=match):
        occlude_run(Occlusion(tmp_path))


def test_an_unfinished_run_no_run_and_fewer_maps_than_none(tmp_path):
    with pytest.raises(InputError, match="expected --num-maps of at least 0; found -1"):
        occlude_run(Occlusion(tmp_path, num_maps=-1))
    with pytest.raises(InputError, match="expected the folder of one run"):
        occlude_run(Occlusion(tmp_path))
    runs.begin_run(tmp_path, {"paper": "sgp3d", **asdict(Recipe(shape=SHAPE))}, {})
    with pytest.raises(InputError, match="expected a finished run; found no metrics.json"):
        occlude_run(Occlusion(tmp_path))


@pytest.mark.integration
def test_a_network_of_another_kind_is_scored_and_gets_no_map(run, tmp_path, capsys):
    other = with_toy_networks(run, tmp_path, network="densenet3d")
    occlude_run(Occlusion(other, quiet=True))
    assert (
        "Activation maps are only available for sgpnet; " in capsys.readouterr().out
        and not (other / "occlusion/maps").exists()
    )
    inputs = keras.Input((*SHAPE, 4))
    keras.Model(inputs, {"lesion": keras.layers.Dense(1, name="lesion")(inputs)}).save(other / "split_2/model.keras")
    with pytest.raises(InputError, match=r"split_2/model.keras: expected a network with the output idh; found lesion"):
        occlude_run(Occlusion(other, quiet=True))


@pytest.mark.integration
def test_a_cache_that_is_gone_is_made_again_from_the_same_files_only(run, tmp_path, monkeypatch):
    monkeypatch.setenv("GLIOMA_IDH_CACHE", str(tmp_path / "cache"))
    other = with_toy_networks(run, tmp_path)
    cohort = runs.read_table(other / "cohort.csv")
    gone = cohort.assign(prepared=[str(tmp_path / "cache" / Path(path).name) for path in cohort["prepared"]])
    write_table(gone, other / "cohort.csv")
    before = (other / "cohort.csv").read_bytes()
    metrics = occlude_run(Occlusion(other, num_maps=0, quiet=True))
    assert metrics["num_patients"] == 6
    assert (other / "cohort.csv").read_bytes() == before
    write_table(gone.assign(t1=gone["t2"]), other / "cohort.csv")
    with pytest.raises(
        InputError, match="s00: .*expected the same images as when the run was started; found changed images"
    ):
        occlude_run(Occlusion(other, num_maps=0, quiet=True))
    write_table(gone.assign(t1="nowhere.nii.gz"), other / "cohort.csv")
    with pytest.raises(InputError, match="s00: nowhere.nii.gz: expected a NIfTI file"):
        occlude_run(Occlusion(other, num_maps=0, quiet=True))


def test_the_donor_must_be_another_patient(run, tmp_path):
    other = with_toy_networks(run, tmp_path)
    cohort = runs.read_table(other / "cohort.csv")
    write_table(cohort.assign(patient="one"), other / "cohort.csv")
    with pytest.raises(InputError, match="s00: expected another patient in the test set; found none"):
        occlude_run(Occlusion(other, quiet=True))


def test_help_loads_nothing_heavy():
    program = (
        "import sys; sys.argv = ['occlude', '--help']\n"
        "try:\n    from glioma_idh.sgp3d.occlude import main; main()\n"
        "except SystemExit: pass\n"
        "heavy = {'tensorflow', 'keras', 'numpy', 'pandas', 'nibabel', 'matplotlib', 'sklearn'} & set(sys.modules)\n"
        "sys.exit(f'loaded {heavy}' if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "--num-maps N" in done.stdout
