"""Series in which the head moves are held still before anything is made of them."""

import re
from dataclasses import replace

import nibabel
import numpy as np
import pytest

from glioma_idh.files import write_text
from glioma_idh.imaging.acquisition import read_acquisition
from glioma_idh.imaging.diffusion.adc import fit_mean_diffusivity
from glioma_idh.imaging.diffusion.gradients import to_scanner
from glioma_idh.imaging.resampling import resample, rigid_matrix
from glioma_idh.imaging.volumes import Volume, read_volume
from glioma_idh.preparation import head_motion
from glioma_idh.preparation.alignment import read_diffusion
from glioma_idh.preparation.head_motion import LEAST_MM, correct_series_motion
from glioma_idh.preparation.series import choose_series, find_series
from glioma_idh.preparation.settings import Settings
from glioma_idh.preparation.stages import Stages
from glioma_idh.runs import read_table
from tests.preparation.placed import choice_of, patient_of

AFFINE, SHAPE = np.diag([3.0, 3, 5, 1]), (48, 56, 20)
B_VALUES = (0, 500, 1000)
USUAL = Settings()


@pytest.fixture
def head():
    """A ball with structure in it, which no turn or shift leaves as it is."""
    rng = np.random.default_rng(0)
    places = np.indices(SHAPE).transpose(1, 2, 3, 0) @ AFFINE[:3, :3]
    middle = np.array(SHAPE) @ AFFINE[:3, :3] / 2
    array = sum(
        rng.uniform(-200, 200) * np.exp(-((places - middle - rng.uniform(-40, 40, 3)) ** 2).sum(-1) / 400)
        for _ in range(40)
    )
    return Volume(((600 + array) * (((places - middle) ** 2).sum(-1) < 48**2)).astype(np.float32), AFFINE)


def choices_of(folder, moved_mm, head, together=True):
    """A patient's DWI whose second volume lies elsewhere, as one file or as one each."""
    volumes = [
        resample(head, head, np.linalg.inv(rigid_matrix((0, 0, 0), shift, (70, 80, 50)))).array * np.exp(-b * 8e-4)
        for b, shift in zip(B_VALUES, ((0, 0, 0), (moved_mm, 0, 0), (0, 0, 0)), strict=True)
    ]
    files = {"dwi": (np.stack(volumes, -1), B_VALUES)}
    if not together:
        files = {f"dwi_b{b}": (volume, [b]) for b, volume in zip(B_VALUES, volumes, strict=True)}
    folder.mkdir()
    for name, (array, b_values) in files.items():
        nibabel.save(nibabel.Nifti1Image(array.astype(np.float32), AFFINE), folder / f"{name}.nii.gz")
        write_text(" ".join(map(str, b_values)), folder / f"{name}.bval")
    series, _ = find_series(folder, folder / "native")
    return choose_series(series, {})[0]


def stages_of(tmp_path, tell=lambda line: None) -> Stages:
    stages = Stages(tmp_path / "out", tell=tell)
    return stages


def held_still(choices, stages, settings=USUAL) -> tuple[dict, list]:
    """The series held still, and what is wrong."""
    patient = patient_of(None, settings, stages)
    return correct_series_motion(choices, patient), patient.errors


@pytest.fixture
def shift(monkeypatch):
    """In place of the search: it answers that the volumes, but for the reference, are shifted by these lengths."""
    calls = []

    def use(*shifts_mm):
        def answer(series, reference):
            calls.append((series, reference))
            return np.array([rigid_matrix((0, 0, 0), (mm, 0, 0), (0, 0, 0)) for mm in shifts_mm])

        monkeypatch.setattr(head_motion, "estimate_head_motion", answer)
        return calls

    return use


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.integration
def test_a_moving_series_is_held_still_and_said(head, tmp_path, together, shift):
    if not together:
        shift(0, 4, 0)
    choices, stages = choices_of(tmp_path / "p", 4.0, head, together), stages_of(tmp_path)
    held, errors = held_still(choices, stages)
    assert errors == [] and held["dwi"].files == (tmp_path / "out/still/dwi_1.nii.gz",)
    assert held["dwi"].acquisitions[0].b_values == B_VALUES
    (remark,) = stages.record.remarks
    assert read_acquisition(held["dwi"].files[0]).b_values == B_VALUES  # beside the file too, without any direction
    assert held["dwi"].acquisitions[0].b_vectors is None
    assert re.search(r"DWI series by up to (3.9|4.[01]) mm \(volume 2 of 3\);.* registered to volume 1\.", remark)
    still = read_volume(held["dwi"].files[0], num_axes=4).array
    inside = (still > 0).all(axis=-1) & (head.array > 0)
    ratio = still[inside][:, 1] / still[inside][:, 0]
    assert np.median(np.abs(ratio / np.exp(-0.4) - 1)) < 0.02
    table = read_table(tmp_path / "out/still/dwi.csv")
    assert table["displacement_mm"].tolist() == pytest.approx([0, 4, 0], abs=0.2)
    assert table.loc[1, "m14"] == pytest.approx(4, abs=0.2)


@pytest.mark.integration
def test_a_series_that_is_still_is_left_as_it_is(head, tmp_path):
    choices, stages = choices_of(tmp_path / "p", 0.6 * LEAST_MM, head), stages_of(tmp_path)
    held, errors = held_still(choices, stages)
    assert held == choices and not errors and not stages.record.remarks
    assert [path.name for path in (tmp_path / "out/still").iterdir()] == ["dwi.csv"]


@pytest.mark.parametrize(("moved_mm", "is_moved"), [(LEAST_MM - 0.01, False), (LEAST_MM, True)])
def test_half_a_millimetre_is_movement_and_less_is_not(head, tmp_path, shift, moved_mm, is_moved):
    assert LEAST_MM == 0.5
    shift(0, moved_mm, 0.1)
    choices, stages = choices_of(tmp_path / "p", 0, head), stages_of(tmp_path)
    held, _ = held_still(choices, stages)
    assert (held["dwi"].files != choices["dwi"].files) == is_moved == bool(stages.record.remarks)
    found = stages.record.stages["head-motion dwi"].found
    assert found == {"displacement_mm": [0, moved_mm, 0.1], "reference_volume": 0}


def test_the_lowest_b_value_is_what_a_dwi_series_is_registered_to(head, tmp_path, shift):
    """Also when the b-values were mended since the last time."""
    calls = shift(3, 0, 0)
    series = choices_of(tmp_path / "p", 0, head)["dwi"]
    for b_values in (B_VALUES, (1000.0, 0.0, 0.0)):
        acquisitions = (replace(series.acquisitions[0], b_values=b_values),)
        dwi = replace(series, acquisitions=acquisitions)
        held_still({"dwi": dwi}, stages_of(tmp_path))
    assert [reference for _, reference in calls] == [0, 1]


def write_dsc(folder, levels, scale=1.0, name="dsc"):
    """A series over time of small volumes, each of one level with a bright voxel."""
    array = np.full((6, 7, 5, len(levels)), 1.0, np.float32) * np.array(levels, np.float32)
    array[3, 3, 2] += 500
    folder.mkdir(exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(array * np.float32(scale), np.diag([2.0, 2, 5, 1])), folder / f"{name}.nii.gz")
    return folder / f"{name}.nii.gz"


def test_both_echoes_of_a_bolus_are_held_still_by_what_moves_in_the_first(tmp_path, shift):
    """The reference is the volume most like the median over time; matrices are the first echo's."""
    levels = [100, 106, 40, 20, 99, 60, 90]  # of median 90
    files = [write_dsc(tmp_path / "p", levels, scale, name) for scale, name in ((1, "dsc_e1"), (0.5, "dsc_e2"))]
    calls = shift(0, 0, 2, 0, 0, 0, 0)
    choices, stages = {"dsc": choice_of("dsc", files, echo_time_s=0.03)}, stages_of(tmp_path)
    held, errors = held_still(choices, stages)
    ((series, reference),) = calls
    assert errors == [] and reference == 6 and series.array[0, 0, 0].tolist() == levels
    assert held["dsc"].files == tuple(tmp_path / "out" / "still" / f"dsc_{n}.nii.gz" for n in (1, 2))
    assert held["dsc"].acquisitions == choices["dsc"].acquisitions
    for file, scale in zip(held["dsc"].files, (1, 0.5), strict=True):
        still = read_volume(file, num_axes=4).array
        assert np.argwhere(still[..., 2] > 400 * scale).tolist() == [[2, 3, 2]]  # one voxel of 2 mm back
        assert np.argwhere(still[..., 3] > 400 * scale).tolist() == [[3, 3, 2]]
        assert still[1, 1, 1] == pytest.approx(scale * np.array(levels))
    assert "by up to 2.0 mm (volume 3 of 7); all volumes were registered to volume 7." in str(stages.record.remarks)


SIX = np.array([[1, 1, 0], [1, -1, 0], [1, 0, 1], [1, 0, -1], [0, 1, 1], [0, 1, -1]]) / np.sqrt(2)
TWELVE = np.vstack([SIX, np.array([[1, 2, 2], [2, 1, -2], [-2, 2, 1], [1, -2, 2], [2, 2, -1], [3, 0, 0]]) / 3])
TENSOR = np.diag([1.7, 0.4, 0.3])
"""Of the head at rest, um2/ms."""
STORED = {
    "RAS": np.eye(4),
    "LAS": np.diag([-1.0, 1, 1, 1]),
    "tilted, its axes to the front, left and top": rigid_matrix((15, 0, 0), (0, 0, 0), (0, 0, 0))
    @ np.array([[0, -1.0, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]),
}


def turning_fibres(folder, affine, placed):
    """A ball of parallel fibres at b = 0 and in twelve directions, the head placed by a matrix in each volume.

    Args:
        folder: gets `dwi.nii.gz`, with b-vectors as FSL has them.
        affine: of the file, but for its edges of 5 mm and its place.
        placed: shape (13, 4, 4), each about the centre of the ball, which is that of the image.
    """
    affine = affine @ np.diag([5.0, 5, 5, 1])
    affine[:3, 3] -= affine[:3, :3] @ [9.5, 9.5, 9.5]
    ball = sum((x - 9.5) ** 2 for x in np.ogrid[:20, :20, :20]) < 8**2
    gradients, series = np.vstack([np.zeros(3), TWELVE]), []
    for gradient, matrix in zip(gradients, placed, strict=True):  # in the scanner's axes
        turned = matrix[:3, :3] @ TENSOR @ matrix[:3, :3].T
        series.append(900 * ball * np.exp(-gradient @ turned @ gradient))
    folder.mkdir()
    nibabel.save(nibabel.Nifti1Image(np.stack(series, -1).astype(np.float32), affine), folder / "dwi.nii.gz")
    along = gradients @ affine[:3, :3] / 5 * ([-1, 1, 1] if np.linalg.det(affine) > 0 else 1)
    write_text("\n".join(" ".join(f"{x:.9f}" for x in axis) for axis in along.T), folder / "dwi.bvec")
    write_text(" ".join(["0", *["1000"] * 12]), folder / "dwi.bval")
    series, _ = find_series(folder, folder / "native")
    return choose_series(series, {})[0]


@pytest.mark.parametrize("stored", STORED)
def test_b_vectors_turn_with_a_head_that_is_held_still(tmp_path, monkeypatch, stored):
    """However the axes of the file run: the tensor and its mean diffusivity are those of the head at rest."""
    placed = np.array([rigid_matrix(((5, -4, 6) if n % 2 else (0, 0, 0)), (0, 0, 0), (0, 0, 0)) for n in range(13)])
    choices = turning_fibres(tmp_path / "p", STORED[stored], placed)
    monkeypatch.setattr(head_motion, "estimate_head_motion", lambda series, reference: placed)
    for _ in range(2):  # made, and as before
        stages = stages_of(tmp_path)
        held, errors = held_still(choices, stages)
        assert stages.record.remarks[0].endswith("The b-vectors were rotated accordingly.")
        still, b_values, b_vectors = read_diffusion(held["dwi"])
        middle = still.array[9:11, 9:11, 9:11]
        assert errors == [] and b_values.tolist() == [0, *[1000] * 12]
        assert fit_mean_diffusivity(middle, b_values, b_vectors, noise_sd=0) == pytest.approx(0.8e-3, rel=1e-5)
        along = to_scanner(b_vectors, read_volume(held["dwi"].files[0], num_axes=4).own_affine)
        decay = -np.log(middle[0, 0, 0] / middle[0, 0, 0, 0])
        assert decay == pytest.approx(np.einsum("nx,xy,ny->n", along, TENSOR, along), abs=1e-5)
        untouched = choices["dwi"].acquisitions[0].b_vectors
        wrong = fit_mean_diffusivity(middle, b_values, untouched, noise_sd=0) / 0.8e-3
        assert np.abs(wrong - 1).max() > 0.01


def test_echoes_of_two_shapes_are_left_out(tmp_path, shift):
    shift(0, 0)
    files = [write_dsc(tmp_path / "p", levels, name=f"dsc_e{len(levels)}") for levels in ([1, 2], [1, 2, 3])]
    held, (error,) = held_still({"dsc": choice_of("dsc", files)}, stages_of(tmp_path))
    assert held == {} and "echoes of the same shape" in str(error)


def test_nothing_is_done_where_it_is_switched_off(head, tmp_path):
    choices = choices_of(tmp_path / "p", 4.0, head)
    assert held_still(choices, stages_of(tmp_path), Settings(skip=("head-motion",))) == (choices, [])
    assert not (tmp_path / "out").exists()


def test_it_is_done_once(head, tmp_path, shift):
    shift(0, 4, 0)
    choices, said = choices_of(tmp_path / "p", 4.0, head), []
    for _ in range(2):
        stages = stages_of(tmp_path, said.append)
        held, _ = held_still(choices, stages)
    assert said[1:] == ["head-motion dwi: reused"]
    assert len(stages.record.remarks) == 1 and held["dwi"].files[0].is_file()


def test_a_series_that_cannot_be_read_is_left_out_and_named(head, tmp_path):
    choices = choices_of(tmp_path / "p", 4.0, head)
    series = choices["dwi"]
    bad = replace(series, acquisitions=(replace(series.acquisitions[0], b_values=()),))
    held, errors = held_still({"dwi": bad}, stages_of(tmp_path))
    assert held == {} and "b-values" in str(errors[0])
