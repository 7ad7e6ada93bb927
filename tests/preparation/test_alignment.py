"""Where everything lies: masks find the grid they were drawn on and go back, and flags are kept."""

import json
from dataclasses import replace

import numpy as np
import pytest

from glioma_idh.errors import InputError
from glioma_idh.imaging.registration.rigid import Registration
from glioma_idh.imaging.resampling import read_transform, rigid_matrix
from glioma_idh.imaging.volumes import Volume, write_volume
from glioma_idh.preparation import alignment as module
from glioma_idh.preparation.alignment import align, read_diffusion, registration_image, rigid_part
from glioma_idh.preparation.masks import mask_on_grid, mask_on_series
from glioma_idh.preparation.series import choose_series, find_series
from glioma_idh.preparation.settings import Settings
from glioma_idh.preparation.stages import Stages
from tests.preparation.placed import choice_of, patient_of

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
    patient = patient_of(None, settings, stages)
    return align(choose_series(series, {})[0], patient), patient.errors, stages


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
    tmp_path.joinpath("prepare.json").write_text(json.dumps({"transforms": {"t2": np.eye(4).tolist()}}))
    with pytest.raises(InputError, match=f"the transform of {role}; found only t2"):
        mask_on_series(mask, tmp_path, role, mask)
    with pytest.raises(InputError, match="prepare.json"):
        mask_on_series(mask, tmp_path / "nowhere", role, mask)


def test_a_reference_that_does_not_fit_stops_and_is_said_where_it_is_kept(folder, monkeypatch):
    flagged = Registration(np.eye(4), 0, 0, 1, 1, 1, ("matches no better elsewhere",))
    right = replace(flagged, problems=())
    fits = {(20, 20, 20): flagged, SHAPE: right}
    monkeypatch.setattr(module, "register_rigid", lambda _, reference, **__: fits[reference.array.shape])
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


def test_a_bolus_series_is_registered_by_its_median_over_time_of_the_first_echo(tmp_path):
    """The bolus and one bright volume change the mean, and the second echo is another image."""
    series = np.full((3, 4, 5, 9), 100.0, np.float32)
    series[..., 4:7], series[..., 8] = 30, 5000
    for name, echo in (("e1", series), ("e2", series / 2)):
        write_volume(tmp_path / f"{name}.nii", echo, np.diag([2.0, 2, 5, 1]))
    still = registration_image("dsc", choice_of("dsc", [tmp_path / "e1.nii", tmp_path / "e2.nii"]))
    assert still.array.shape == (3, 4, 5) and (still.array == 100).all()
    assert np.array_equal(still.affine, np.diag([2.0, 2, 5, 1]))


def test_a_dwi_series_is_registered_by_the_mean_of_its_lowest_b_values(tmp_path):
    series = np.full((3, 4, 5, 5), 1.0, np.float32) * [10, 300, 100, 30, 200]
    write_volume(tmp_path / "dwi.nii", series, np.eye(4))
    choice = choice_of("dwi", [tmp_path / "dwi.nii"], b_values=(1000.0, 5.0, 25.0, 500.0, 26.0))
    assert registration_image("dwi", choice).array == pytest.approx(200)  # of b = 5 and 25


def test_a_structural_series_is_registered_as_it_is(tmp_path):
    array = np.arange(60, dtype=np.float32).reshape(3, 4, 5)
    write_volume(tmp_path / "t2.nii", array, np.eye(4))
    assert np.array_equal(registration_image("t2", choice_of("t2", [tmp_path / "t2.nii"])).array, array)


def test_directions_of_files_whose_axes_run_elsewhere_are_brought_together(tmp_path):
    """The same gradient, to the patient's back: FSL turns the first axis round in a right-handed file alone."""
    right_handed = np.array([[0, -1.0, 0, 2], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])  # to the front, left, top
    left_handed = np.diag([-1.0, 1, 1, 1]) + np.outer([2, 0, 0, 0], [0, 0, 0, 1])
    choice = choice_of("dwi", [tmp_path / "a.nii", tmp_path / "b.nii"], b_values=(1000.0,))
    write_volume(choice.files[0], np.ones((4, 3, 5), np.float32), right_handed)
    write_volume(choice.files[1], np.ones((3, 4, 5), np.float32), left_handed)
    vectors = (np.array([[1.0, 0, 0]]), np.array([[0.0, -1, 0]]))
    acquired = zip(choice.acquisitions, vectors, strict=True)
    acquired = tuple(replace(acquisition, b_vectors=vector) for acquisition, vector in acquired)
    choice = replace(choice, acquisitions=acquired)
    assert read_diffusion(choice)[2] == pytest.approx(np.array([[1.0, 0, 0], [1, 0, 0]]))


def test_files_of_a_b_value_each_come_in_their_order_with_b_values_and_directions(tmp_path):
    choice = choice_of("dwi", [tmp_path / f"{name}.nii" for name in "abc"])
    acquisitions = []
    for file, b_values, level in zip(choice.files, ((1000.0,), (0.0, 5.0), (500.0,)), (1, 2, 3), strict=True):
        shape = (3, 4, 5) if len(b_values) == 1 else (3, 4, 5, 2)
        write_volume(file, np.full(shape, level, np.float32), np.eye(4))
        vectors = np.full((len(b_values), 3), float(level))
        acquisitions.append(replace(choice.acquisitions[0], b_values=b_values, b_vectors=vectors))
    choice = replace(choice, acquisitions=tuple(acquisitions))
    series, b_values, b_vectors = read_diffusion(choice)
    assert series.array[0, 0, 0].tolist() == [1, 2, 2, 3] == b_vectors[:, 0].tolist()
    assert b_values.tolist() == [1000, 0, 5, 500]
    unknown = (*acquisitions[:2], replace(acquisitions[2], b_vectors=None))
    found = read_diffusion(replace(choice, acquisitions=unknown))[2]
    assert found[:, 0].tolist() == [1, 2, 2, 0]  # the others keep theirs
    none = tuple(replace(acquisition, b_vectors=None) for acquisition in acquisitions)
    assert read_diffusion(replace(choice, acquisitions=none))[2] is None

    write_volume(choice.files[2], np.ones((3, 4, 5), np.float32), np.diag([1.0, 1, 2, 1]))
    with pytest.raises(InputError, match="a.nii|c.nii: expected the same grid"):
        read_diffusion(choice)


MOVED = {"t1": rigid_matrix((0, 0, 0), (6, 0, 0), (0, 0, 0)), "t2": rigid_matrix((0, 0, 3), (0, 3, 0), (0, 0, 0))}


@pytest.fixture
def registered(monkeypatch):
    """In place of registration: a recorder of its images, which says by their names where they lie."""
    calls, problems = [], {}

    def record(moving, reference, **limits):
        calls.append((moving, reference, limits))
        role = moving.file.rpartition("/")[2].partition(".")[0]
        return Registration(MOVED.get(role, np.eye(4)), 3, 6, 1, 1, 2, problems.get(role, ()))

    monkeypatch.setattr(module, "register_rigid", record)
    monkeypatch.setattr(module, "correct_bias", lambda volume: volume)
    return calls, problems


def test_each_series_is_registered_to_the_anchor_by_the_matrix_from_the_anchor_to_it(folder, registered):
    calls, _ = registered
    found, errors, stages = aligned(folder, Settings())
    assert errors == [] and found.anchor == "t1gd"
    names = [tuple(volume.file.rpartition("/")[2] for volume in call[:2]) for call in calls]
    assert sorted(names) == [("t1.nii", "t1gd.nii"), ("t2.nii", "t1gd.nii")]
    for role, matrix in MOVED.items():
        assert found.to_series(role) == pytest.approx(matrix)
        file = folder / "out" / "transforms" / f"{role}_to_t1gd.tfm"
        assert read_transform(file) == pytest.approx(matrix)
    assert found.to_series("t1gd") == pytest.approx(np.eye(4))
    record = stages.record.stages["registration t2"].found
    assert record == {"rotation_deg": 3, "shift_mm": 6, "overlap": 1, "metric": 1, "gain": 2, "problems": []}


def test_a_series_whose_registration_looks_wrong_is_left_out_unless_it_is_to_be_kept(folder, registered):
    _, problems = registered
    problems["t2"] = ("turned by 48 degrees",)
    found, (error,), _ = aligned(folder, Settings())
    assert found.has("t1") and not found.has("t2") and set(found.transforms) == {"t1gd", "t1"}
    assert str(error).startswith(str(folder / "p" / "t2.nii")) and "turned by 48 degrees" in error.found
    found, (error,), _ = aligned(folder, Settings(keep_flagged=True))
    assert found.to_series("t2") == pytest.approx(MOVED["t2"]) and "turned by 48 degrees" in error.found


def test_a_series_that_is_left_out_is_said_though_the_reference_is_refused(folder, registered):
    registered[1].update(t2=("turned by 48 degrees",), t1gd=("matches no better elsewhere",))
    series, _ = find_series(folder / "p", folder / "native")
    patient = patient_of(None, Settings(reference=str(folder / "other.nii")), Stages(folder / "out"))
    with pytest.raises(InputError, match="t1gd to other.nii; found matches no better"):
        align(choose_series(series, {})[0], patient)
    assert [error.found for error in patient.errors] == ["turned by 48 degrees"]


def test_a_series_that_cannot_be_registered_is_left_out_and_the_others_go_on(folder, monkeypatch):
    def fail(moving, reference, **_):
        if moving.file.endswith("t1.nii"):
            raise InputError("two images that overlap", "none", "Look.", moving.file)
        return Registration(MOVED["t2"], 0, 0, 1, 1, 2, ())

    monkeypatch.setattr(module, "register_rigid", fail)
    found, (error,), _ = aligned(folder, Settings())
    assert not found.has("t1") and found.has("t2") and error.file.endswith("t1.nii")


def test_a_series_is_registered_again_when_it_or_the_anchor_changes(folder, registered):
    calls, _ = registered
    for _ in range(2):
        aligned(folder, Settings())
    assert len(calls) == 2
    write_volume(folder / "p" / "t1.nii", np.ones(SHAPE, np.float32) + np.indices(SHAPE)[0], AFFINE)
    aligned(folder, Settings())
    assert [moving.file[-6:] for moving, *_ in calls[2:]] == ["t1.nii"]
    write_volume(folder / "p" / "t1gd.nii", np.ones(SHAPE, np.float32) + np.indices(SHAPE)[1], AFFINE)
    aligned(folder, Settings())
    assert len(calls) == 5


def test_a_dwi_series_is_registered_again_for_other_b_values(folder, registered, monkeypatch):
    """Other b-values make another volume stand for it."""
    calls, _ = registered
    for b_values in ((0.0, 1000.0), (0.0, 1000.0), (1000.0, 0.0)):
        choices = {"t1gd": choice_of("t1gd", [folder / "p" / "t1gd.nii"])}
        choices["dwi"] = choice_of("dwi", [folder / "p" / "t2.nii"], b_values=b_values)
        heads = {role: Volume(np.zeros(SHAPE), AFFINE, f"{b_values[0]:g}/{role}.nii") for role in choices}
        monkeypatch.setattr(module, "_head", lambda role, choice, heads=heads: heads[role])
        align(choices, patient_of(None, Settings(), Stages(folder / "out")))
    assert [moving.file for moving, *_ in calls] == ["0/dwi.nii", "1000/dwi.nii"]


def test_the_anchor_is_registered_again_to_another_reference(folder, registered):
    calls, _ = registered
    write_volume(folder / "third.nii", np.indices(SHAPE)[0].astype(np.float32), AFFINE)
    for name in ("other", "other", "third"):
        aligned(folder, Settings(reference=str(folder / f"{name}.nii")))
    references = [reference.file.rpartition("/")[2] for _, reference, _ in calls]
    assert [name for name in references if name != "t1gd.nii"] == ["other.nii", "third.nii"]


def test_another_image_as_reference_is_what_the_anchor_is_registered_to(folder, registered, monkeypatch):
    """The way from the grid to a series leads over the anchor."""
    calls, _ = registered
    turned = rigid_matrix((0, 0, 90), (0, 0, 0), (0, 0, 0))
    monkeypatch.setitem(MOVED, "t1gd", turned)
    found, _, _ = aligned(folder, Settings(reference=str(folder / "other.nii"), spacing_mm=2.0))
    moving, reference, limits = calls[-1]
    assert moving.file.endswith("t1gd.nii") and reference.file.endswith("other.nii")
    assert limits == {"max_shift_mm": np.inf}
    assert found.frame == pytest.approx(turned)
    assert found.to_series("t1") @ [0, 5, 0, 1] == pytest.approx([1, 0, 0, 1])  # to -5, 0, 0 and 6 mm to the right
    assert found.grid.array.shape == (30, 30, 30) and found.grid.spacing_mm == pytest.approx([2, 2, 2])
    assert found.reference.array.shape == (20, 20, 20)


def test_in_the_atlas_the_anchor_lies_by_the_rigid_part_of_the_templates_fit(folder, registered, monkeypatch):
    matrix = rigid_matrix((0, 10, 0), (3, -4, 5), (0, 0, 0)) @ np.diag([1.1, 0.9, 1.0, 1])
    monkeypatch.setattr(module, "_fit_template", lambda head: type("Fit", (), {"matrix": matrix}))
    found, errors, _ = aligned(folder, Settings(reference="atlas"))
    assert errors == [] and found.anchor == "t1gd"
    assert found.frame == pytest.approx(np.linalg.inv(rigid_part(matrix)))
    assert found.grid.spacing_mm == pytest.approx([1, 1, 1])


def test_the_rigid_part_keeps_the_turn_and_the_commissure():
    turn = rigid_matrix((5, -8, 12), (0, 0, 0), (0, 0, 0))
    stretched = turn @ np.diag([1.2, 0.8, 1.1, 1])
    stretched[:3, 3] = 10, -20, 30
    rigid = rigid_part(stretched)
    assert rigid[:3, :3] == pytest.approx(turn[:3, :3])
    commissure = np.linalg.solve(stretched, [0, 0, 0, 1])
    assert rigid @ commissure == pytest.approx([0, 0, 0, 1])


@pytest.mark.parametrize(
    ("edges_mm", "spacing_mm", "expected"),
    [((3, 3, 5), None, 1), ((1, 1, 1.6), None, 1), ((1, 0.9, 1.5), None, (1, 0.9, 1.5)), ((3, 3, 5), 4.0, 4)],
)
def test_voxels_of_the_result_are_the_references_own_unless_they_are_thick(folder, edges_mm, spacing_mm, expected):
    for name in ("t1", "t2"):
        (folder / "p" / f"{name}.nii").unlink()
    array = np.indices((8, 9, 10)).sum(axis=0).astype(np.float32)
    write_volume(folder / "p" / "t1gd.nii", array, np.diag([*map(float, edges_mm), 1]))
    found, _, _ = aligned(folder, replace(HEADERS, spacing_mm=spacing_mm))
    assert found.grid.spacing_mm == pytest.approx(np.broadcast_to(expected, 3))
    assert found.reference.spacing_mm == pytest.approx(edges_mm)


def test_a_head_with_skull_is_registered_without_its_bias_field(tmp_path, monkeypatch):
    array = np.random.default_rng(0).uniform(50, 100, (60, 60, 60)).astype(np.float32)
    write_volume(tmp_path / "t2.nii", array, np.eye(4))
    choice = choice_of("t2", [tmp_path / "t2.nii"])
    monkeypatch.setattr(module, "correct_bias", lambda volume: replace(volume, array=volume.array + 1))
    monkeypatch.setattr(module, "looks_stripped", lambda volume: False)
    assert np.array_equal(module._head("t2", choice).array, array + 1)
    assert np.array_equal(module._head("adc", choice).array, array)  # a map has none
    monkeypatch.setattr(module, "looks_stripped", lambda volume: True)
    assert np.array_equal(module._head("t2", choice).array, array)
