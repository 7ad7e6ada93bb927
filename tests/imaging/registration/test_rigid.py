"""Known transforms are found again, wrong answers are flagged, and resampling puts voxels where they belong."""

from dataclasses import replace

import numpy as np
import pytest

from glioma_idh.errors import InputError
from glioma_idh.imaging.registration.rigid import register_rigid
from glioma_idh.imaging.resampling import isotropic_grid, resample, rigid_matrix
from glioma_idh.imaging.volumes import Volume, read_volume
from glioma_idh.phantom import SEQUENCES, make_phantom

sitk = pytest.importorskip("SimpleITK")

pytestmark = pytest.mark.integration

ROTATION_DEG, SHIFT_MM = (3, 0, 4), (2, -6, 3)  # 5 degrees and 7 mm in all
THICK_MM = 6
"""Slices of the displaced images."""
BRATS = {"t1": "t1", "t1gd": "t1ce", "t2": "t2", "flair": "flair"}
NATIVE = {"t1": "t1", "t1gd": "t1c", "t2": "t2", "flair": "fla"}


@pytest.fixture(scope="module")
def phantom_folder(tmp_path_factory):
    """The folder of a phantom subject, 3 mm."""
    folder = tmp_path_factory.mktemp("phantom") / "one"
    made = make_phantom(folder, num_subjects=1, num_mutant=0, spacing_mm=3.0, jobs=1, quiet=True)
    return made.parent / "phantom-001"


@pytest.fixture(scope="module")
def head(phantom_folder):
    """The six sequences of the subject."""
    return {name: read_volume(phantom_folder / f"{name}.nii.gz") for name in SEQUENCES}


@pytest.fixture(scope="module")
def coarse(head):
    """Some at 4 mm, which is quicker to register."""
    return {name: resample(head[name], isotropic_grid(head[name], 4.0)) for name in ("t1", "t1gd", "t2")}


@pytest.fixture(scope="module")
def coarsest(head):
    """Some at 8 mm, which is quick to register: for what is flagged, not for what is found."""
    return {name: resample(head[name], isotropic_grid(head[name], 8.0)) for name in ("t1gd", "t2", "flair")}


def real_head(real_data, number) -> dict[str, Volume]:
    """The four sequences of a patient at full size."""
    stem = f"BraTS20_Training_{number}"
    folder = real_data / "brats20_full" / "MICCAI_BraTS2020_TrainingData" / stem
    return {name: read_volume(folder / f"{stem}_{end}.nii.gz") for name, end in BRATS.items()}


def native_head(real_data) -> dict[str, Volume]:
    """Patient 320 as scanned: 26 thick slices with skull, on three grids."""
    folder = real_data / "native_TCGA-FG-6692"
    return {name: read_volume(folder / f"TCGA-FG-6692_native_{end}.nii.gz") for name, end in NATIVE.items()}


def places_in(volume: Volume) -> np.ndarray:
    """Points all over a stripped brain, shape (n, 4), mm and 1."""
    places = np.argwhere(volume.array > 0)[::50]
    return np.c_[places, np.ones(len(places))] @ volume.affine.T


def known_transform(brain_mm: np.ndarray) -> np.ndarray:
    return rigid_matrix(ROTATION_DEG, SHIFT_MM, brain_mm.mean(axis=0)[:3])


def displaced(volume: Volume, matrix: np.ndarray) -> Volume:
    """The image with its tissue moved by a matrix, in slices of 6 mm or, of real heads, three times as thick."""
    moved = resample(volume, volume, np.linalg.inv(matrix), order="cubic")
    thicker = round(THICK_MM / volume.spacing_mm[2]) if volume.spacing_mm[2] > 1 else 3
    depth = moved.array.shape[2] // thicker * thicker
    slices = moved.array[:, :, :depth].reshape(*moved.array.shape[:2], -1, thicker).mean(axis=3)
    step = np.diag([1.0, 1, thicker, 1])
    step[2, 3] = (thicker - 1) / 2
    return Volume(slices, moved.affine @ step)


def turn_and_shift(found: np.ndarray, truth: np.ndarray, brain_mm: np.ndarray) -> tuple[float, float]:
    """How far one matrix is from another: the turn in degrees, and the shift of the brain's centre in mm."""
    off, centre = np.linalg.inv(truth) @ found, brain_mm.mean(axis=0)
    angle = np.rad2deg(np.arccos(np.clip((np.trace(off[:3, :3]) - 1) / 2, -1, 1)))
    return angle, np.linalg.norm((off @ centre - centre)[:3])


def slab(volume: Volume, start: int, stop: int) -> Volume:
    """Slices start to stop."""
    step = np.eye(4)
    step[2, 3] = start
    return Volume(volume.array[:, :, start:stop].copy(), volume.affine @ step)


def with_header(volume: Volume, rotation_deg=(0, 0, 0), shift_mm=(0, 0, 0)) -> Volume:
    """The same voxels, which the header places elsewhere."""
    centre = volume.affine @ [*(np.array(volume.array.shape) / 2), 1]
    return replace(volume, affine=rigid_matrix(rotation_deg, shift_mm, centre[:3]) @ volume.affine)


@pytest.mark.parametrize(("moving", "reference"), [("t2", "t1gd"), ("t1", "adc")])
def test_known_transform_of_thick_slices_is_found(moving, reference, head):
    brain_mm = places_in(head["t1"])
    truth = known_transform(brain_mm)
    answer = register_rigid(displaced(head[moving], truth), head[reference])
    turn, shift = turn_and_shift(answer.matrix, truth, brain_mm)
    assert turn < 0.5 and shift < 0.5
    assert answer.problems == ()
    assert answer.rotation_deg == pytest.approx(5, abs=0.5) and answer.shift_mm == pytest.approx(7, abs=0.6)
    assert answer.overlap > 0.9 and answer.gain > 1.4 and answer.metric > 0.5


@pytest.mark.slow
@pytest.mark.parametrize("name", ["phantom", "295", "320"])
def test_known_transform_is_found_for_every_pair_of_sequences(name, head, request):
    """Of real heads with the T1Gd as reference, relative to the image in its place, which others found with an error.

    `benchmarks/registration.py` goes through all of their pairs.
    """
    images = head if name == "phantom" else real_head(request.getfixturevalue("real_data"), name)
    brain_mm = places_in(images["t1"])
    truth = known_transform(brain_mm)
    for moving, image in images.items():
        moved = displaced(image, truth)
        for reference in images if name == "phantom" else ("t1gd",):
            in_place = np.eye(4) if name == "phantom" else register_rigid(image, images[reference]).matrix
            answer = register_rigid(moved, images[reference])
            turn, shift = turn_and_shift(answer.matrix, truth @ in_place, brain_mm)
            assert turn < 0.5 and shift < 0.5, (moving, reference)
            assert answer.problems == (), (moving, reference)


@pytest.mark.slow
def test_scans_with_skull_lie_as_another_group_brought_them_together(real_data):
    """Each scan is mapped to that group's version of the same sequence; from these, how the scans lie to each other."""
    native, theirs = native_head(real_data), real_head(real_data, 320)
    to_theirs = {name: register_rigid(native[name], theirs[name], max_shift_mm=np.inf) for name in native}
    assert all(answer.problems == () for answer in to_theirs.values())
    brain_mm = places_in(theirs["t1gd"]) @ to_theirs["t1gd"].matrix.T
    for name in ("t1", "t2", "flair"):
        answer = register_rigid(native[name], native["t1gd"])
        truth = to_theirs[name].matrix @ np.linalg.inv(to_theirs["t1gd"].matrix)
        turn, shift = turn_and_shift(answer.matrix, truth, brain_mm)
        assert turn < 1 and shift < 1.2  # slices of 5.5 mm
        assert answer.problems == ()


def test_slab_is_found_in_a_head(head):
    brain_mm = places_in(head["t1"])
    truth = known_transform(brain_mm)
    answer = register_rigid(slab(displaced(head["t2"], truth), 10, 16), head["t1gd"])  # 36 mm
    turn, shift = turn_and_shift(answer.matrix, truth, brain_mm)
    assert turn < 0.5 and shift < 0.5
    assert answer.problems == ()


@pytest.mark.slow
def test_head_is_found_round_a_slab(head):
    brain_mm = places_in(head["t1"])
    truth = known_transform(brain_mm)
    answer = register_rigid(head["t1gd"], slab(displaced(head["t2"], truth), 10, 16))
    turn, shift = turn_and_shift(np.linalg.inv(answer.matrix), truth, brain_mm)
    assert turn < 0.5 and shift < 0.7
    assert answer.problems == ()


def test_header_that_lies_far_off_is_overcome_and_said(coarse):
    answer = register_rigid(with_header(coarse["t2"], (15, 0, 10), (0, 300, 0)), coarse["t1gd"])
    centre = places_in(coarse["t1"]).mean(axis=0)
    truth = with_header(coarse["t2"], (15, 0, 10), (0, 300, 0)).affine @ np.linalg.inv(coarse["t2"].affine)
    assert np.linalg.norm((answer.matrix - truth) @ centre) < 0.5
    (words,) = answer.problems
    assert "mm relative to the headers, more than a head moves" in words


@pytest.mark.slow
def test_limits_can_be_widened(coarse):
    far = with_header(coarse["t2"], (0, 0, 40), (0, 200, 0))
    assert register_rigid(far, coarse["t1gd"], max_rotation_deg=180, max_shift_mm=np.inf).problems == ()


def test_head_turned_too_far_is_flagged(coarsest):
    turned = register_rigid(with_header(coarsest["t2"], (0, 0, 48)), coarsest["t1gd"])
    assert "a rotation of 48 degrees, more than a head moves between series" in turned.problems
    assert register_rigid(with_header(coarsest["t2"], (90, 0, 0)), coarsest["t1gd"]).problems


def test_noise_is_flagged(coarsest):
    noise = replace(coarsest["t2"], array=np.random.default_rng(0).normal(100, 20, coarsest["t2"].array.shape))
    for answer in (register_rigid(noise, coarsest["t1gd"]), register_rigid(coarsest["t1gd"], noise)):
        assert any("of the smaller head overlap the other" in words for words in answer.problems)
        assert any("a match hardly better than 10 mm or degrees away" in words for words in answer.problems)


@pytest.mark.slow
def test_another_head_is_flagged(real_data):
    ours, others = real_head(real_data, 320), real_head(real_data, 295)
    for name in BRATS:
        (words,) = register_rigid(others[name], ours["t1gd"]).problems
        assert words.startswith("a match hardly better")


def test_mask_says_where_to_look(coarse):
    """The rest of the reference is noise; the mask holds the part that is not."""
    moved = with_header(coarse["t2"], ROTATION_DEG, SHIFT_MM)
    truth = moved.affine @ np.linalg.inv(coarse["t2"].affine)
    spoiled = coarse["t1gd"].array.copy()
    half = np.zeros(spoiled.shape, bool)
    half[:, :25] = True
    spoiled[~half] = np.random.default_rng(0).uniform(0, spoiled.max(), np.count_nonzero(~half))
    answer = register_rigid(moved, replace(coarse["t1gd"], array=spoiled), reference_mask=half)
    turn, shift = turn_and_shift(answer.matrix, truth, places_in(coarse["t1"]))
    assert turn < 0.5 and shift < 0.5


def test_threads_do_not_change_the_answer(coarsest):
    before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    answers = []
    for threads in (1, 2):
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
        answers.append(register_rigid(coarsest["flair"], coarsest["t1gd"]))
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)
    assert np.array_equal(answers[0].matrix, answers[1].matrix)
    assert answers[0].metric == answers[1].metric


def test_images_that_cannot_be_registered(head):
    good = head["t1gd"]
    for value in (0, 7):
        flat = replace(good, array=np.full(good.array.shape, value, np.float32), file="flat.nii.gz")
        for pair in ((flat, good), (good, flat)):
            with pytest.raises(InputError, match=f"flat.nii.gz: .* a head; found the value {value} in all but 0 of"):
                register_rigid(*pair)
    speck = np.zeros(good.array.shape, np.float32)
    speck[-1, -1, -1] = 5
    with pytest.raises(InputError, match=f"found the value 0 in all but 1 of {good.array.size} voxels"):
        register_rigid(replace(good, array=speck), good)
    hole = good.array.astype(np.float32)
    hole[0, 0, 0] = np.nan
    with pytest.raises(InputError, match="found NaN or infinite voxels"):
        register_rigid(replace(good, array=hole), good)
    with pytest.raises(InputError, match=r"expected a 3D image; found shape \(58, 71, 57, 1\)"):
        register_rigid(replace(good, array=good.array[..., None]), good)


def test_masks_that_show_nowhere(head):
    good = head["t1gd"]
    with pytest.raises(InputError, match="with 0 voxels"):
        register_rigid(good, good, np.zeros(good.array.shape))
    with pytest.raises(InputError, match=r"shape \(2, 2, 2\)"):
        register_rigid(good, good, np.ones((2, 2, 2)))
    corner = np.zeros(good.array.shape)
    corner[:6, :6, :6] = 1  # air alone
    with pytest.raises(InputError, match="expected two images that overlap"):
        register_rigid(good, good, corner)
