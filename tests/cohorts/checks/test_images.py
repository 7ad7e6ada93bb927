"""Every image is described as it is, and everything wrong with one is said without stopping the rest."""

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from glioma_idh import cohorts
from glioma_idh.cohorts.checks.rows import SCAN_COLUMNS
from glioma_idh.cohorts.table import COLUMNS
from tests.conftest import save
from tests.imaging.heads import SPACING_MM, head

SHAPE, AFFINE = (10, 12, 8), np.diag([2.0, 2.0, 5.0, 1.0])
BRAIN = np.zeros(SHAPE)
BRAIN[1:9, 1:11, 1:7] = 1
LESION = np.zeros(SHAPE)
LESION[2:5, 3:6, 2:5] = 1
LESION[2:7, 3:8, 4] = 1


NO_SLICE = "Expected a lesion on several axial slices, found a mask on one axial slice only."


def scan(seed=0):
    """Noise around 100 in the brain, 0 elsewhere."""
    return BRAIN * np.random.default_rng(seed).normal(100, 10, SHAPE).round()


@pytest.fixture
def subject(tmp_path):
    """A function that writes images, arrays or (array, affine), and gives the row of their subject."""

    def write(name="s1", **images):
        row = dict.fromkeys(COLUMNS, "") | {"subject": name, "patient": name, "cohort": "c", "idh": "1"}
        for column, image in images.items():
            array, affine = image if isinstance(image, tuple) else (image, AFFINE)
            row[column] = save(tmp_path / name / f"{column}.nii.gz", array, affine)
        return row

    return write


def check(*rows):
    """The rows of checks, by subject and image, and the tiles."""
    scans, tiles = cohorts.check(pd.DataFrame(rows), jobs=1, quiet=True)
    assert list(scans.columns) == list(SCAN_COLUMNS)
    return scans.set_index(["subject", "image"]), tiles


def problem(row, image):
    """What is wrong with one image of a subject; the others have nothing wrong."""
    scans, (tile,) = check(row)
    assert (scans["problem"].drop((row["subject"], image)) == "").all() and len(tile.problems) == 1
    return scans.loc[(row["subject"], image), "problem"], tile.problems[0]


def test_a_sound_subject_is_described(subject):
    image = np.where(BRAIN, 50, 0)
    image[1, 1, 1:7], image[2, 2, 2:7] = (30, 40, 45, 55, 60, 70), (48, 52, 49, 51, 50)
    scans, (tile,) = check(subject(t1=image, flair=scan(), lesion_mask=LESION))
    row = scans.loc[("s1", "t1")]
    assert row[["shape", "spacing_mm", "orientation", "grid"]].tolist() == [
        "10 x 12 x 8",
        "2.00 x 2.00 x 5.00",
        "RAS",
        "same",
    ]
    assert row[["not_finite", "constant", "minimum", "maximum", "mean"]].tolist() == [0, False, 30, 70, 50]
    assert row["sd"] == pytest.approx(np.sqrt((800 + 200 + 50 + 8 + 2) / BRAIN.sum()))
    assert (scans["problem"] == "").all() and tile.problems == () and tile.idh == 1
    mask = scans.loc[("s1", "lesion_mask")]
    assert mask["labels"] == "0 1" and mask["lesion_ml"] == pytest.approx((9 + 9 + 25) * 0.02)
    assert len(set(scans["voxel_hash"])) == 3
    assert scans.index.get_level_values("image").tolist() == ["t1", "flair", "lesion_mask"]


def test_axes_that_the_header_does_not_tell_are_reported(subject):
    affine = np.diag([*SPACING_MM, 1.0])
    row = subject(t1=(head(), affine), t2=(head(1).transpose(1, 0, 2), affine))
    scans, (tile,) = check(row)
    assert "more symmetric from back to front (correlation with its mirror image" in scans.loc[("s1", "t2"), "problem"]
    assert scans.loc[("s1", "t1"), "problem"] == "" and "other axes" in tile.problems


def test_axes_of_the_file_do_not_matter(subject):
    turned = np.diag([-2.0, -2.0, 5.0, 1.0])
    turned[:2, 3] = 2 * (SHAPE[0] - 1), 2 * (SHAPE[1] - 1)
    scans, _ = check(subject(t1=scan(), t2=(scan()[::-1, ::-1], turned)))
    assert scans.loc[("s1", "t2"), ["orientation", "grid"]].tolist() == ["LPS", "same"]
    assert scans["voxel_hash"].nunique() == 1
    assert scans["problem"].tolist() == ["", "Has the same voxels as t1."]


def test_a_file_whose_name_tells_another_sequence_is_told(subject):
    row = subject(t1=scan(), t1gd=scan(1))
    swapped = row | {"t1": row["t1gd"], "t1gd": row["t1"]}
    scans, (tile,) = check(swapped)
    assert scans.at[("s1", "t1"), "problem"] == "t1gd.nii.gz is given as T1, but its name suggests T1Gd."
    assert tile.problems == ("name",)
    trace = subject("s2", adc=scan())
    named = trace | {"adc": save(Path(trace["adc"]).with_name("DTI_TR.nii.gz"), scan(), AFFINE)}
    assert "but its name suggests DWI" in check(named)[0].at[("s2", "adc"), "problem"]
    assert check(named | {"adc_divisor": "3"})[0].at[("s2", "adc"), "problem"] == ""


def test_a_mask_given_as_a_scan_is_told(subject):
    assert problem(subject(t1=scan(), t2=BRAIN * (1 + LESION)), "t2") == (
        "It has only 2 values besides the background: is it a mask?",
        "few values",
    )


def test_a_flipped_mask_is_told_once(subject):
    lesion = np.zeros((24, 26, 12))
    lesion[3:9, 4:10, 2:5] = 1
    brain = np.zeros(lesion.shape)
    brain[1:-1, 1:-1, 1:-1] = 1
    noise = np.random.default_rng(1).normal(100, 10, lesion.shape)
    images = {name: brain * (noise + 60 * lesion + seed) for seed, name in enumerate(("t2", "flair"))}
    scans, _ = check(subject(**images, lesion_mask=lesion), subject("s2", **images, lesion_mask=lesion[::-1]))
    assert scans.at[("s1", "lesion_mask"), "problem"] == ""
    said = scans.at[("s2", "lesion_mask"), "problem"]
    assert said.startswith("If flipped left to right, the mask fits T2 better") and said.count("If flipped") == 1


def test_trace_images_are_divided(subject):
    scans, _ = check(subject(adc=scan()) | {"adc_divisor": "3"}, subject("s2", adc=scan()) | {"adc_divisor": ""})
    third, whole = (scans.loc[(name, "adc")] for name in ("s1", "s2"))
    for column in ("minimum", "maximum", "mean", "sd"):
        assert third[column] == pytest.approx(whole[column] / 3)
    sentence, words = problem(subject("s3", adc=scan()) | {"adc_divisor": "0"}, "adc")
    assert words == "adc_divisor" and "'0'" in sentence


def test_not_finite_voxels_are_counted_and_left_out(subject):
    image = BRAIN * np.clip(scan(), 90, 110)
    image[1, 1, 1:4], image[2, 2, 2] = (np.nan, np.inf, -np.inf), 7
    row = subject(t1=image, t2=scan())
    assert problem(row, "t1") == ("3 of 960 voxels are NaN or infinite.", "not finite")
    numbers = check(row)[0].loc[("s1", "t1"), ["not_finite", "minimum", "maximum"]]
    assert numbers.tolist() == [3, 7, 110]


@pytest.mark.parametrize(
    ("image", "sentence"),
    [
        (np.zeros(SHAPE), "All voxels are 0."),
        (np.full(SHAPE, 5), "All voxels are 5."),
        (7 * BRAIN, "The voxels of the background are 0, and all other voxels are 7."),
    ],
)
def test_constant_images(subject, image, sentence):
    row = subject(t1=scan(), t2=image)
    assert problem(row, "t2") == (sentence, "constant")
    assert check(row)[0]["constant"].tolist() == [False, True]


def test_files_that_cannot_be_read_are_rows_too(subject, tmp_path):
    rows = []
    for number, name in enumerate(("gone", "cut", "text", "sound", "4D"), start=3):
        t1 = np.stack([scan()] * 2, axis=-1) if name == "4D" else scan()
        own = np.where(np.arange(12)[:, None] == number, BRAIN, LESION)
        rows.append(subject(name, t1=t1, t2=scan(number), lesion_mask=own))
    (tmp_path / "gone" / "t1.nii.gz").unlink()
    cut, text = (tmp_path / name / "t1.nii.gz" for name in ("cut", "text"))
    cut.write_bytes(cut.read_bytes()[:700])
    text.write_bytes(gzip.compress(b"not a scan at all" * 50))
    scans, tiles = check(*rows)
    first = scans["problem"].xs("t1", level="image")
    assert first["gone"] == "Expected a NIfTI file, found no file."
    assert first["cut"].startswith("Expected a readable NIfTI file, found") and str(tmp_path) not in "".join(first)
    assert first["4D"] == "Expected a 3D volume, found shape (10, 12, 8, 2)."
    assert first["sound"] == "" and (scans["problem"].drop("t1", level="image") == "").all()
    assert [tile.problems for tile in tiles] == [("no file",), ("unreadable",), ("unreadable",), (), ("not 3D",)]
    assert all(tile.thumbnails["t2"] is not None for tile in tiles)
    assert [tile.thumbnails["t1"] is None for tile in tiles] == [True, True, True, False, True]


def test_each_network_refuses_what_its_training_sets_aside(subject):
    shifted, large = AFFINE.copy(), np.diag([20.0, 20.0, 10.0, 1.0])
    shifted[0, 3] = 5
    head = scan() + np.random.default_rng(1).uniform(1, 3, SHAPE)
    rows = [
        subject("flat", t1=scan(), lesion_mask=np.where(np.arange(8) == 3, LESION, 0)),
        subject("thin", t1=scan(), lesion_mask=np.where(np.arange(12)[:, None] == 4, LESION, 0)),
        subject("grid", t1=scan(), rcbv=(scan(1), shifted), lesion_mask=(LESION, shifted)),
        subject("brain", t1=scan(), brain_mask=(BRAIN, shifted)),
        subject("skull", t1=(head, large)),
        subject("head", t1=(head, large), brain_mask=(BRAIN, large)),
        subject("adc", adc=scan()) | {"adc_divisor": "0"},
    ]
    refused = check(*rows)[0]["refused"]
    assert refused[refused != ""].to_dict() == {
        ("flat", "lesion_mask"): "slice CNN",
        ("thin", "lesion_mask"): "slice CNN",
        ("grid", "t1"): "slice CNN",
        ("grid", "rcbv"): "SGPNet",
        ("grid", "lesion_mask"): "SGPNet",
        ("brain", "t1"): "slice CNN",
        ("brain", "brain_mask"): "SGPNet",
        ("skull", "t1"): "slice CNN, SGPNet",
        ("head", "t1"): "SGPNet",
        ("adc", "adc"): "slice CNN, SGPNet",
    }


def test_a_grid_shifted_by_5_mm(subject):
    shifted = AFFINE.copy()
    shifted[0, 3] = 5
    sentence, words = problem(subject(t1=scan(), t2=(scan(1), shifted), lesion_mask=LESION), "t2")
    assert (sentence, words) == ("Not on the grid of t1: a grid displaced by up to 5.0 mm.", "other grid")
    sentence, _ = problem(subject(t1=scan(), lesion_mask=LESION[:, :, :7]), "lesion_mask")
    assert sentence == "Not on the grid of t1: shape (10, 12, 7), not shape (10, 12, 8)."


@pytest.mark.parametrize(
    ("mask", "words", "sentence"),
    [
        (np.zeros(SHAPE), "empty mask", "The mask is 0 everywhere."),
        (LESION * 1.5 + BRAIN, "odd labels", "Expected a mask with the labels 0, 1, 2, 3, 4, found 2.5."),
        (LESION * 5 + BRAIN, "odd labels", "Expected a mask with the labels 0, 1, 2, 3, 4, found 6."),
        (0.2 + LESION / 2, "probabilities", "The mask contains probabilities, thresholded at 0.5."),
        (np.where(np.arange(8) == 3, LESION, 0), "no slice", NO_SLICE),
    ],
)
def test_masks_that_cannot_be_right(subject, mask, words, sentence):
    assert problem(subject(t1=scan(), lesion_mask=mask), "lesion_mask") == (sentence, words)


def test_a_mask_partly_outside_the_brain(subject):
    mask = np.zeros(SHAPE)
    mask[0:4, 3:6, 2:4] = 1
    sentence = "25 % of the lesion (0.12 ml) lie outside the brain: does the mask belong to this scan?"
    assert problem(subject(t1=scan(), lesion_mask=mask), "lesion_mask") == (sentence, "outside brain")
    assert problem(subject(t1=scan() + 1, lesion_mask=mask, brain_mask=BRAIN), "lesion_mask")[0] == sentence
    noise = np.random.default_rng(1).uniform(1, 3, SHAPE)
    assert (check(subject(t1=scan() + noise, lesion_mask=mask))[0]["problem"] == "").all()


@pytest.mark.parametrize(("num_outside", "reported"), [(1, False), (2, True)])
def test_one_percent_of_the_lesion_may_lie_outside_the_brain(subject, num_outside, reported):
    """Of 100 or 101 voxels: 1 outside is 1 %, 2 are more."""
    brain, mask = np.zeros(SHAPE), np.zeros(SHAPE)
    brain[1:9, 1:11, 1:7] = mask[2:7, 2:7, 2:6] = 1
    mask[2, 2, 2] = 0
    mask[0, :num_outside, 3] = 1
    problems = check(subject(t1=scan() + 1, lesion_mask=mask, brain_mask=brain))[0]["problem"]
    assert ("lie outside the brain" in problems[("s1", "lesion_mask")]) == reported


@pytest.mark.parametrize("labels", [(1, 2, 3), (1, 2, 4), (1,), (3, 4)])
def test_every_label_of_brats_is_lesion(subject, labels):
    mask = np.zeros(SHAPE)
    for k, label in enumerate(labels, 2):
        mask[3:6, 3:6, k : k + 2] = label
    row = check(subject(t1=scan(), lesion_mask=mask))[0].loc[("s1", "lesion_mask")]
    assert row["lesion_ml"] == pytest.approx(np.count_nonzero(mask) * 2 * 2 * 5 / 1000) and row["problem"] == ""
    assert row["labels"] == " ".join(map(str, (0, *labels)))


def test_masks_are_compared_with_the_first_sequence_and_with_each_other(subject):
    """A lesion mask on another grid is reported, and not laid over the brain mask of the right one."""
    shifted = AFFINE.copy()
    shifted[2, 3] = 5
    scans, (tile,) = check(subject(t1=scan(), t2=scan(1), lesion_mask=(LESION, shifted), brain_mask=BRAIN))
    assert scans["grid"].tolist() == ["same", "same", "a grid displaced by up to 5.0 mm", "same"]
    assert scans.loc[("s1", "lesion_mask"), "problem"] == "Not on the grid of t1: a grid displaced by up to 5.0 mm."
    assert tile.thumbnails["t1"].lesion is None and tile.has_mask


def test_a_brain_mask_on_another_grid_says_nothing_of_the_lesion(subject):
    """Of the same shape, but 4 mm aside: laid over the lesion voxel by voxel it would leave most of it outside."""
    shifted = AFFINE.copy()
    shifted[0, 3] = 4
    other = np.zeros(SHAPE)
    other[5:, :, :] = 1
    assert problem(subject(t1=scan(), lesion_mask=LESION, brain_mask=(other, shifted)), "brain_mask")[1] == "other grid"


def test_a_mask_without_a_lesion_gives_the_tile_none(subject):
    scans, (tile,) = check(subject(t1=scan(), lesion_mask=np.zeros(SHAPE)))
    assert not tile.has_mask and scans.loc[("s1", "lesion_mask"), "lesion_ml"] == 0


def test_an_image_that_occurs_twice_has_one_hash_across_subjects(subject):
    scans, _ = check(subject("a", t1=scan(0), t2=scan(1)), subject("b", t1=scan(2), flair=scan(1)))
    hashes = scans["voxel_hash"]
    assert hashes[("a", "t2")] == hashes[("b", "flair")] and hashes.nunique() == 3


def test_an_image_of_two_subjects_is_told_with_both_and_their_files(subject):
    rows = [subject("a", t1=scan(0), t2=scan(1)), subject("b", t1=scan(2), flair=scan(1)), subject("c", t1=scan(3))]
    scans, tiles = check(*rows)
    assert scans.loc[scans["problem"] != "", "problem"].to_dict() == {
        ("b", "flair"): f"{rows[1]['flair']} has the same voxels as T2 of a ({rows[0]['t2']}). "
        "Whose image is it? If the two are one person, give them the same id in the column patient."
    }
    assert [tile.problems for tile in tiles] == [(), ("same as a",), ()]
    scans, _ = check(*(row | {"patient": "p"} for row in rows[:2]))
    assert scans.at[("b", "flair"), "problem"].endswith("Are these two visits of one patient?")


def test_a_mask_of_two_subjects_is_told_whatever_its_label(subject):
    masks = {"lesion_mask": LESION, "brain_mask": BRAIN}
    rows = [subject("a", t1=scan(0), **masks), subject("b", t1=scan(1), lesion_mask=4 * LESION, brain_mask=BRAIN)]
    problems = check(*rows)[0]["problem"]
    assert problems[problems != ""].index.tolist() == [("b", "lesion_mask"), ("b", "brain_mask")]
    assert f"has the same voxels as the lesion mask of a ({rows[0]['lesion_mask']})" in problems["b", "lesion_mask"]
    rows[1]["lesion_mask"] = rows[0]["lesion_mask"]  # one file in two rows
    assert "the lesion mask of a" in check(*rows)[0].at[("b", "lesion_mask"), "problem"]
    problems = check(*(row | {"patient": "p"} for row in rows))[0]["problem"]  # two visits on one grid: one brain mask
    assert problems[problems != ""].index.tolist() == [("b", "lesion_mask")]


def test_images_without_content_are_no_copies(subject):
    rows = [subject(name, t1=scan(seed), t2=BRAIN, lesion_mask=0 * LESION) for seed, name in enumerate("ab")]
    assert not check(*rows)[0]["problem"].str.contains("same voxels").any()


def test_a_background_that_is_not_0_counts_as_brain(subject):
    large = np.diag([20.0, 20.0, 10.0, 1.0])
    row = subject(t1=(scan() - 3, large))
    sentence, words = problem(row, "t1")
    assert (
        words == "not skull-stripped" and sentence == "It is not 0 outside the brain: a background of -3 that is not 0."
    )
    assert check(row)[0].loc[("s1", "t1"), "head"] == "skull-stripped"
    assert (check(subject(t1=(scan() - 3, large), brain_mask=(BRAIN, large)))[0]["problem"] == "").all()


def test_a_head_with_its_skull_is_a_problem_unless_there_is_a_brain_mask(subject):
    large = np.diag([20.0, 20.0, 10.0, 1.0])
    head = (scan() + np.random.default_rng(1).uniform(1, 3, SHAPE), large)
    scans = check(subject(t1=head))[0]
    assert scans.loc[("s1", "t1"), "head"] == "with skull"
    assert "3840 ml of voxels that are not 0, 100% of the image: skull" in scans.loc[("s1", "t1"), "problem"]
    assert (check(subject(t1=head, brain_mask=(BRAIN, large)))[0]["problem"] == "").all()


def test_the_lesion_s_volume_is_measured_as_the_mask_is_meant(subject):
    expected = np.count_nonzero(LESION) * 20 / 1000
    for mask in (LESION, 255 * LESION, 0.3 * LESION + 0.4, 4 * LESION - 1, LESION - 1e-7):
        row = check(subject(t1=scan(), lesion_mask=mask))[0].loc[("s1", "lesion_mask")]
        assert row["lesion_ml"] == pytest.approx(expected)
        assert row["share_of_brain"] == pytest.approx(np.count_nonzero(LESION) / np.count_nonzero(BRAIN))


def test_a_lesion_of_more_than_400_ml_is_a_problem(subject):
    large, smaller = np.diag([20.0, 20.0, 24.0, 1.0]), np.diag([20.0, 20.0, 23.0, 1.0])  # 43 voxels of 9.6 and 9.2 ml
    images = {"t1": scan(), "lesion_mask": LESION, "brain_mask": BRAIN}
    row = subject(**{name: (image, large) for name, image in images.items()})
    assert problem(row, "lesion_mask") == ("The lesion has a volume of 413 ml: is this a lesion mask?", "large lesion")
    row = subject(**{name: (image, smaller) for name, image in images.items()})
    assert (check(row)[0]["problem"] == "").all()


def test_a_mask_of_the_brain_or_of_the_whole_image_is_no_lesion_mask(subject):
    told = "Expected a lesion mask, found a mask of 100 % of the brain ({} ml). The subject is excluded."
    assert problem(subject(t1=scan(), lesion_mask=BRAIN), "lesion_mask") == (told.format(10), "no lesion mask")
    assert problem(subject(lesion_mask=np.ones(SHAPE)), "lesion_mask")[0] == told.format(19)  # there is no scan
    outside = np.zeros(SHAPE)
    outside[0, 3:6, 2:4] = outside[1, 3:5, 2:4] = 1
    said = "Expected a lesion mask, found a mask of which 60 % lie outside the brain. The subject is excluded."
    assert problem(subject(t1=scan(), lesion_mask=outside), "lesion_mask")[0] == said


def test_the_enhancing_label_is_that_of_the_cohort(subject):
    old, new, cavity = (np.where(BRAIN, 0, 0) for _ in range(3))
    old[3:6, 3:6, 3:6], old[4, 4, 3:5] = 2, 4
    new[3:6, 3:6, 3:6], new[4, 4, 3:5] = 2, 3
    cavity[3:6, 3:6, 3:6], cavity[4, 4, 4] = 2, 4
    rows = [subject("a", lesion_mask=old), subject("b", lesion_mask=LESION)]
    later = [subject("c", lesion_mask=new), subject("d", lesion_mask=cavity)]
    scans, _ = check(*rows, *(row | {"cohort": "later"} for row in later))
    assert scans["enhancing_label"].tolist() == [4, 4, 3, 3]
    assert scans["enhancing_ml"].tolist() == pytest.approx([0.04, np.nan, 0.04, 0], nan_ok=True)
    assert check(rows[1])[0]["enhancing_label"].isna().all()


@pytest.mark.parametrize(("cell", "idh"), [("1", 1), ("0.0", 0), ("", -1), ("mutant", 1), ("perhaps", -1)])
def test_labels_of_tiles(subject, cell, idh):
    assert check(subject(t1=scan()) | {"idh": cell})[1][0].idh == idh


def test_subjects_without_images_and_cohorts_without_subjects(subject):
    scans, tiles = check(subject())
    assert scans.empty and tiles == []
    assert cohorts.check(pd.DataFrame(columns=list(COLUMNS)), jobs=1, quiet=True)[1] == []


@pytest.mark.integration
def test_two_processes_give_the_same(subject):
    table = pd.DataFrame([subject(name, t1=scan(n)) for n, name in enumerate("abc")])
    (one, _), (two, _) = (cohorts.check(table, jobs=jobs, quiet=True) for jobs in (1, 2))
    pd.testing.assert_frame_equal(one, two)


def test_a_scan_of_another_brain_is_told(subject):
    other = scan(2) * np.roll(BRAIN, 2, axis=1)  # 8 of 10 rows: Dice 0.89
    images = {"t1": scan(0), "t1gd": scan(1), "t2": other, "flair": scan(3)}
    sentence, words = problem(subject(**images), "t2")
    assert words == "other brain"
    told = (
        "Covers a different brain than T1, T1Gd and FLAIR (Dice 0.89): is it from another patient, or not registered?"
    )
    assert sentence == told
    within = images | {"t2": scan(2), "adc": other}  # a map may be masked on its own
    assert (check(subject(**within))[0]["problem"] == "").all()


def test_a_head_with_its_skull_covers_no_brain(subject):
    large = np.diag([20.0, 20.0, 10.0, 1.0])
    head = scan() + np.random.default_rng(1).uniform(1, 3, SHAPE)
    row = subject(t1=(scan(), large), t2=(head, large), brain_mask=(BRAIN, large))
    assert (check(row)[0]["problem"] == "").all()


def test_crops_of_real_patients_cover_one_brain(real_data):
    table, _ = cohorts.read("brats2020-tcga", real_data / "brats20_mini")
    scans, _ = cohorts.check(table[table["t1"] != ""].iloc[::20], jobs=1, quiet=True)
    assert len(scans) > 20 and not scans["problem"].str.contains("another brain").any()
