"""The raw patient of the phantom: what the scanner gives, and what is known of it."""

import json

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt

from glioma_idh.errors import InputError
from glioma_idh.imaging.resampling import rigid_matrix
from glioma_idh.imaging.volumes import Volume, read_volume
from glioma_idh.phantom import raw
from glioma_idh.phantom.anatomy import draw_anatomy, make_anatomy
from glioma_idh.phantom.fields import make_grid
from glioma_idh.phantom.lesions import draw_lesion, make_lesion
from glioma_idh.phantom.raw import SPACING_MM, acquire, make_raw_patient
from glioma_idh.phantom.recipe import PhantomRecipe, draw_truth, random_stream
from glioma_idh.phantom.signal import clean_signal

RECIPE, INDEX = PhantomRecipe(num_subjects=3, num_mutant=1, seed=0, spacing_mm=6.0), 1


def test_another_number_of_echoes_needs_another_folder(tmp_path):
    for file in ("truth/phantom-001/placement.json", "phantom-001/dsc_e1.nii.gz", "phantom-001/dsc_e2.nii.gz"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    assert make_raw_patient(tmp_path, num_echoes=2) == tmp_path / "phantom-001"
    with pytest.raises(InputError, match=r"expected a DSC series with echo times \(0.03,\) s; found another"):
        make_raw_patient(tmp_path)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A coarse patient of two echoes whose series stay on the grid of the head; its folders, and what was acquired."""
    place, calls = tmp_path_factory.mktemp("raw"), []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(raw, "acquire", lambda volume, spacing, moved: calls.append((volume, spacing, moved)) or volume)
        patient = make_raw_patient(place, INDEX, RECIPE, num_echoes=2)
    return patient, place / "truth" / patient.name, calls


@pytest.fixture(scope="module")
def body():
    """Anatomy and lesion of the same subject, made here."""
    anatomy = make_anatomy(draw_anatomy(random_stream(RECIPE, INDEX, "anatomy")), make_grid(6.0))
    return anatomy, make_lesion(draw_lesion(random_stream(RECIPE, INDEX, "lesion")), anatomy)


def test_every_series_is_acquired_with_its_own_voxels_and_its_own_motion_but_the_t1gd(made):
    _, known, calls = made
    placement = {name: np.array(matrix) for name, matrix in json.loads((known / "placement.json").read_text()).items()}
    assert np.array_equal(placement.pop("t1gd"), np.eye(4))
    assert len({matrix.tobytes() for matrix in placement.values()}) == 5
    order = ["t1", "t2", "flair", "dwi", "dsc", "dsc", "t2"]  # the lesion is drawn on the T2
    for name, (_, spacing, moved) in zip(order, calls, strict=True):
        assert spacing == SPACING_MM[name] and np.array_equal(moved, placement[name]), name
    edges = {name: tuple(SPACING_MM[name]) for name in placement}
    assert edges == {"t1": (1, 1, 5), "t2": (1, 1, 5), "flair": (1, 1, 5), "dwi": (2, 2, 4), "dsc": (2, 2, 5)}
    for matrix in placement.values():
        assert matrix[:3, :3] @ matrix[:3, :3].T == pytest.approx(np.eye(3)) and matrix[3].tolist() == [0, 0, 0, 1]


def test_the_truth_is_the_phantom_s_own(made, body):
    _, known, _ = made
    truth, anatomy, lesion = draw_truth(RECIPE).iloc[INDEX], *body
    for name in ("adc", "rcbv"):
        clean = clean_signal(name, anatomy, lesion, truth[f"z_{name}"]) * anatomy.brain
        assert np.allclose(read_volume(known / f"{name}.nii.gz").array, clean, rtol=1e-5, atol=1e-9), name
    assert np.array_equal(read_volume(known / "lesion_mask.nii.gz").array, lesion.mask)
    assert np.array_equal(read_volume(known / "brain_mask.nii.gz").array, anatomy.brain)


def test_the_files_are_what_sidecars_say(made, body):
    patient, _, _ = made
    assert (patient / "dwi.bval").read_text() == "0 500 1000\n"
    assert read_volume(patient / "dwi.nii.gz", num_axes=4).array.shape[3] == 3
    sidecars = [json.loads((patient / f"dsc_e{n}.json").read_text()) for n in (1, 2)]
    assert sidecars == [{"EchoTime": time_s, "RepetitionTime": 1.5} for time_s in (0.008, 0.03)]
    first, second = (read_volume(patient / f"dsc_e{n}.nii.gz", num_axes=4).array for n in (1, 2))
    brain = body[0].brain
    assert first.shape[3] == second.shape[3] == 60 and first[brain].mean() > 1.3 * second[brain].mean()
    assert {path.name for path in patient.iterdir()} == {
        *(f"{name}.nii.gz" for name in ("t1", "t1gd", "t2", "flair", "dwi", "dsc_e1", "dsc_e2", "lesion_mask")),
        *("dwi.bval", "dsc_e1.json", "dsc_e2.json"),
    }
    assert np.array_equal(read_volume(patient / "lesion_mask.nii.gz").array, body[1].mask)
    dwi = read_volume(patient / "dwi.nii.gz", num_axes=4).array[brain].mean(axis=0)
    assert dwi[0] > dwi[1] > dwi[2]


def test_heads_have_a_scalp_a_dark_skull_and_air(made, body):
    patient, _, _ = made
    anatomy = body[0]
    for name, scalp in {"t1": 1.6, "t1gd": 1.7, "t2": 0.7, "flair": 0.8}.items():
        image = read_volume(patient / f"{name}.nii.gz").array
        white = np.median(image[anatomy.white > 0.9])
        away_mm = 6 * distance_transform_edt(~anatomy.brain)
        assert np.median(image[(away_mm > 7) & (away_mm < 13)]) == pytest.approx(scalp * white, rel=0.05), name
        assert image[away_mm > 14].mean() < 0.05 * white and raw.SCALP[name] == scalp


def test_a_voxel_is_drawn_as_lesion_where_half_of_it_is(tmp_path, monkeypatch):
    shares = np.array([0.0, 0.4, 0.5, 0.6, 1.0], np.float32).reshape(5, 1, 1)
    monkeypatch.setattr(raw, "acquire", lambda volume, spacing, moved: Volume(shares, np.eye(4)))
    patient = make_raw_patient(tmp_path, INDEX, RECIPE)
    assert read_volume(patient / "lesion_mask.nii.gz").array.ravel().tolist() == [0, 0, 1, 1, 1]


def blob(centre_mm, spacing_mm=2.0, shape=(40, 44, 36)):
    """A head with one soft ball in it."""
    affine = np.diag([spacing_mm] * 3 + [1.0])
    affine[:3, 3] = -spacing_mm * (np.array(shape) - 1) / 2
    places = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1) * spacing_mm + affine[:3, 3]
    squares = ((places - np.array(centre_mm)) ** 2).sum(axis=-1)
    return Volume(np.exp(-squares / (2 * 6.0**2)).astype(np.float32), affine)


def centre_mm(volume):
    weights = np.clip(volume.array, 0, None)
    indices = np.array([(weights * axis).sum() for axis in np.indices(weights.shape)]) / weights.sum()
    return (volume.affine @ [*indices, 1])[:3]


def test_what_is_acquired_lies_where_the_head_has_moved():
    head = blob((6.0, -8.0, 4.0))
    moved = rigid_matrix((3, -2, 4), (2.0, -3.0, 1.5), (0, 0, 0))
    still, elsewhere = (acquire(head, (2, 2, 6), matrix) for matrix in (np.eye(4), moved))
    assert centre_mm(still) == pytest.approx([6, -8, 4], abs=0.1)
    assert centre_mm(elsewhere) == pytest.approx((moved @ [6, -8, 4, 1])[:3], abs=0.1)
    assert still.spacing_mm == pytest.approx([2, 2, 6]) and still.array.shape == (40, 44, 12)
    tilt_deg = np.degrees(np.arctan2(still.affine[2, 1], still.affine[1, 1]))
    assert abs(tilt_deg) == pytest.approx(12) and still.affine[0, 1:3].tolist() == [0, 0]


def test_a_thick_slice_is_the_mean_over_its_thickness():
    head = blob((0, 0, 0))
    thick = acquire(head, (2, 2, 6), np.eye(4), tilt_deg=0.0)
    assert np.allclose(thick.array, head.array.reshape(40, 44, 12, 3).mean(axis=3), atol=1e-5)
    series = Volume(np.stack([head.array, 2 * head.array], axis=-1), head.affine)
    acquired = acquire(series, (2, 2, 6), np.eye(4), tilt_deg=0.0).array
    assert np.allclose(acquired[..., 0], thick.array, atol=1e-5) and np.allclose(
        acquired[..., 1], 2 * thick.array, atol=1e-5
    )


def test_heads_turn_and_move_as_much_as_said():
    matrices = [raw._movement(np.random.default_rng(seed)) for seed in range(60)]
    middle = np.array([0, -17, 12, 1.0])
    shifts = np.array([(matrix @ middle - middle)[:3] for matrix in matrices])
    assert shifts.std() == pytest.approx(3.0, rel=0.2)
    angles = [np.degrees(np.arccos((np.trace(matrix[:3, :3]) - 1) / 2)) for matrix in matrices]
    assert np.sqrt(np.square(angles).mean()) == pytest.approx(2.0 * np.sqrt(3), rel=0.2)
