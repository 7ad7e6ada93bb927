"""Where everything lies: masks find the grid they were drawn on and go back, and flags are kept."""

import json
from dataclasses import replace

import numpy as np
import pytest

from glioma_idh.errors import InputError
from glioma_idh.imaging import registration
from glioma_idh.imaging.resampling import rigid_matrix
from glioma_idh.imaging.volumes import Volume, write_volume
from glioma_idh.preparation.alignment import align
from glioma_idh.preparation.masks import mask_on_grid, mask_on_series
from glioma_idh.preparation.series import choose_series, find_series
from glioma_idh.preparation.settings import Settings
from glioma_idh.preparation.stages import Stages

SHAPE, AFFINE = (24, 28, 12), np.diag([3.0, 3, 5, 1])
HEADERS = Settings(skip=("registration",))


@pytest.fixture
def folder(tmp_path):
    """A patient of noise, the T2 on a grid of its own; and beside it another image, whose grid is a third."""
    rng = np.random.default_rng(0)
    for name, affine in (("t1gd", AFFINE), ("t1", AFFINE), ("t2", AFFINE + np.eye(4, k=3) * 2)):
        write_volume(tmp_path / "p" / f"{name}.nii", rng.uniform(50, 100, SHAPE).astype(np.float32), affine)
    write_volume(tmp_path / "other.nii", rng.uniform(50, 100, (20, 20, 20)).astype(np.float32), np.diag([3.0, 3, 3, 1]))
    return tmp_path


def aligned(folder, settings=HEADERS):
    """Where everything lies, and what is left out."""
    series, _ = find_series(folder / "p", folder / "native")
    stages = Stages(folder / "out")
    alignment, errors = align(choose_series(series, {})[0], settings, stages)
    return alignment, errors, stages


def draw(folder, shape, affine):
    mask = np.zeros(shape, np.uint8)
    mask[5:9, 5:9, 4:7] = 1
    write_volume(folder / "mask.nii", mask, affine)
    return folder / "mask.nii"


@pytest.mark.parametrize(
    ("shape", "affine", "drawn_on"),
    [
        (SHAPE, AFFINE, ["t1gd", "t1"]),
        (SHAPE, AFFINE + np.eye(4, k=3) * 2, ["t2"]),
        ((20, 20, 20), np.diag([3.0, 3, 3, 1]), ["reference"]),
        ((60, 60, 60), np.diag([1.0, 1, 1, 1]) - np.eye(4, k=3), ["result"]),
    ],
)
def test_a_mask_may_be_drawn_on_any_grid_there_is(folder, shape, affine, drawn_on):
    alignment, _, _ = aligned(folder, replace(HEADERS, reference=str(folder / "other.nii")))
    assert alignment.grid.array.shape == (60, 60, 60) and alignment.grid.affine[:3, 3] == pytest.approx([-1, -1, -1])
    affine = np.array(affine)
    affine[3] = [0, 0, 0, 1]
    affine[:3, 3] = alignment.grid.affine[:3, 3] if drawn_on == ["result"] else affine[:3, 3]
    mask, roles = mask_on_grid(draw(folder, shape, affine), alignment, "t1gd")
    assert sorted(roles) == sorted(drawn_on)
    volume_mm3 = 48 * abs(np.linalg.det(affine[:3, :3]))
    assert (mask.array != 0).sum() * alignment.grid.voxel_ml * 1000 == pytest.approx(volume_mm3, rel=0.3)


def test_a_mask_goes_back_by_the_way_that_the_note_holds(tmp_path):
    way = rigid_matrix((0, 0, 0), (6, 0, 0), (0, 0, 0))  # the head lies 6 mm to the right in the T2
    tmp_path.joinpath("prepare.json").write_text(json.dumps({"ways": {"t1gd": np.eye(4).tolist(), "t2": way.tolist()}}))
    mask, grid = Volume(np.zeros(SHAPE, np.uint8), AFFINE), Volume(np.zeros(SHAPE, np.float32), AFFINE)
    mask.array[10, 10, 6] = 1
    assert np.argwhere(mask_on_series(mask, tmp_path, "t2", grid).array).tolist() == [[12, 10, 6]]
    assert np.argwhere(mask_on_series(mask, tmp_path, "t1gd", grid).array).tolist() == [[10, 10, 6]]


@pytest.mark.parametrize("role", ["adc", "T2"])
def test_a_mask_does_not_go_where_nobody_knows_the_way(tmp_path, role):
    mask = Volume(np.zeros(SHAPE, np.uint8), AFFINE)
    tmp_path.joinpath("prepare.json").write_text(json.dumps({"ways": {"t2": np.eye(4).tolist()}}))
    with pytest.raises(InputError, match=f"the place of {role}; found only t2"):
        mask_on_series(mask, tmp_path, role, mask)
    with pytest.raises(InputError, match="prepare.json"):
        mask_on_series(mask, tmp_path / "nowhere", role, mask)


def test_a_reference_that_does_not_fit_stops_and_is_said_where_it_is_kept(folder, monkeypatch):
    flagged = registration.Registration(np.eye(4), 0, 0, 1, 1, 1, ("matches no better elsewhere",))
    right = replace(flagged, problems=())
    fits = {(20, 20, 20): flagged, SHAPE: right}
    monkeypatch.setattr(registration, "register_rigid", lambda _, reference, **__: fits[reference.array.shape])
    settings = Settings(reference=str(folder / "other.nii"))
    with pytest.raises(InputError, match="plausible registration of t1gd to other.nii"):
        aligned(folder, settings)
    _, errors, stages = aligned(folder, replace(settings, keep_flagged=True))
    assert "matches no better" in str(errors[0])
    assert stages.problems("registration") == {"grid": "matches no better elsewhere"}


def test_the_way_to_another_reference_goes_when_it_is_not_wanted_any_more(folder):
    _, _, stages = aligned(folder, replace(HEADERS, reference=str(folder / "other.nii")))
    stages.finish()
    assert (folder / "out/transforms/t1gd_to_grid.tfm").is_file()
    aligned(folder)[2].finish()
    assert not (folder / "out/transforms/t1gd_to_grid.tfm").exists()
