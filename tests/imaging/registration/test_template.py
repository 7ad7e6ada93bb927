"""The template's parts by hand: what its maps are, which way its transforms lead, and when a fit is doubted."""

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.transform import Rotation

from glioma_idh.errors import InputError
from glioma_idh.imaging.registration import template, template_search
from glioma_idh.imaging.registration.template import (
    TemplateFit,
    assess,
    check_head,
    features,
    fit_deformation,
    load_template,
    predict,
    simplify,
)
from glioma_idh.imaging.registration.template_search import (
    CENTRE_MM,
    coarsen,
    draw_template,
    find_affine,
    find_centre,
    start_matrices,
    template_arrays,
)
from glioma_idh.imaging.resampling import from_itk, matrix_of, rigid_matrix, to_itk, to_itk_transform
from glioma_idh.imaging.volumes import Volume

sitk = pytest.importorskip("SimpleITK")

NO_DEFORMATION = sitk.Transform(3, sitk.sitkIdentity)
EDGE = 2.5


def shift_transform(right=0.0, front=0.0, top=0.0):
    """A transform of SimpleITK that moves points, RAS+ mm."""
    return to_itk_transform(rigid_matrix((0, 0, 0), (right, front, top), (0, 0, 0)))


def cube(shape=(40, 40, 40), edge_mm=EDGE, corner_mm=(-50, -50, -50)) -> np.ndarray:
    affine = np.diag([edge_mm] * 3 + [1.0])
    affine[:3, 3] = corner_mm
    return affine


@pytest.fixture(scope="module")
def small():
    """A template of a kind, 2.5 mm: a ball with white matter in its left half and grey in its right."""
    shape, affine = (40, 40, 40), cube()
    x, y, z = np.moveaxis(np.moveaxis(np.indices(shape), 0, -1) * EDGE - 50, -1, 0)
    brain = x**2 + (y * 0.9) ** 2 + z**2 < 32**2
    texture = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=shape), 2)
    maps = {
        "t1": brain * (0.6 + 0.2 * texture / texture.std()),
        "brain": brain,
        "white": brain & (x < 0),
        "grey": brain & (x >= 0),
    }
    return {name: Volume(np.asarray(array, np.float32), affine) for name, array in maps.items()}


@pytest.mark.integration
def test_maps_of_the_template_are_what_their_names_say():
    """Places whose tissue every atlas of the ICBM152 has: corona radiata, caudate nucleus, air over the head."""
    maps = load_template()

    def at(name, place):
        volume = maps[name]
        return volume.array[tuple(np.round(np.linalg.solve(volume.affine, [*place, 1])[:3]).astype(int))]

    for side in (-1, 1):
        radiata, caudate = (side * 26, -22, 30), (side * 13, 12, 10)
        assert at("white", radiata) > 0.8 > 0.2 > at("grey", radiata)
        assert at("grey", caudate) > 0.5 > at("white", caudate)
        assert at("brain", radiata) == at("brain", caudate) == 1
    assert at("brain", (0, 0, 88)) == at("t1", (0, 0, 88)) == 0
    assert [volume.spacing_mm.tolist() for volume in maps.values()] == [[1, 1, 1]] * 4
    ventricle = (4, 12, 14)  # beside the septum: fluid
    assert at("t1", (26, -22, 30)) > at("t1", ventricle)


def test_a_map_is_read_through_the_bend_and_then_the_matrix(small, monkeypatch):
    """The deformation moves a point of the head 20 mm to the right, and only then is it turned by a quarter."""
    monkeypatch.setattr(template, "load_template", lambda: small)
    turn = rigid_matrix((0, 0, 90), (0, 0, 0), (0, 0, 0))
    fit = TemplateFit(turn, shift_transform(right=20), np.ones(3), 1, 1, ())
    grid = Volume(np.zeros((40, 40, 40)), cube())
    found = np.argwhere(fit.map("white", grid) > 0.5) * EDGE - 50
    # x < 0 of the template: its x is -y of the head, and its y is x + 20 there
    assert found.mean(axis=0) == pytest.approx([-20, 12, 0], abs=1.5)


def test_a_mask_is_mirrored_where_the_midsagittal_plane_lies_in_the_head():
    """The head lies 20 mm to the left and is turned by 90 degrees: the plane is y = 0 there."""
    fit = TemplateFit(rigid_matrix((0, 0, 90), (0, 0, 0), (0, 0, 0)), NO_DEFORMATION, np.ones(3), 1, 1, ())
    mask = np.zeros((20, 20, 20))
    mask[3, 4, 5] = 1
    affine = np.diag([2.0, 2, 2, 1])
    affine[:3, 3] = -19
    assert np.argwhere(fit.mirror(Volume(mask, affine))).tolist() == [[3, 15, 5]]
    shifted = TemplateFit(rigid_matrix((0, 0, 0), (8, 0, 0), (0, 0, 0)), NO_DEFORMATION, np.ones(3), 1, 1, ())
    assert np.argwhere(shifted.mirror(Volume(mask, affine))).tolist() == [[8, 4, 5]]  # -13 to -3 about -8


def test_what_is_doubted_of_a_fit(small):
    work, brain = to_itk(small["t1"]), to_itk(small["brain"])
    scale, overlap, explained, problems = assess(np.diag([1.25, 0.78, 1, 1]), work, brain, 0.12)
    assert scale == pytest.approx([1.25, 0.78, 1]) and overlap > 0.99 and explained == 0.12 and problems == ()
    *_, problems = assess(np.diag([1.26, 1, 1, 1]), work, brain, 0.119)
    assert problems == (
        "the head would have 1.26 x 1.00 x 1.00 times the size of the template (along right, front, top)",
        "the template explains only 12% of the image around the brain",
    )
    assert assess(np.diag([1, 1, 0.77, 1]), work, brain, 1)[3][0].startswith("the head would have 1.00 x 1.00 x 0.77")
    away = rigid_matrix((0, 0, 0), (50, 0, 0), (0, 0, 0))  # half of the ball lies outside
    _, overlap, _, problems = assess(away, work, brain, 1)
    assert overlap == pytest.approx(0.5, abs=0.03) and problems[0].endswith("of the template's brain lies in the image")
    slant = rigid_matrix((0, 0, 45), (0, 0, 0), (0, 0, 0)) @ np.diag([1.1, 0.9, 1, 1])
    assert assess(slant, work, brain, 1)[0] == pytest.approx([1.1, 0.9, 1])  # along the template's axes


@pytest.mark.parametrize(("count", "edge_mm", "right"), [(25, 2, True), (24, 2, False), (4, 13, True), (3, 20, False)])
def test_a_head_is_at_least_50_mm_and_four_voxels(count, edge_mm, right):
    array = np.random.default_rng(0).random((30, 30, count))
    volume = Volume(array, np.diag([2.0, 2, edge_mm, 1]))
    if right:
        check_head(volume)
    else:
        with pytest.raises(InputError, match="at least 50 mm along each axis"):
            check_head(volume)


def test_the_brightest_spots_are_cut_off_and_around_a_brain_it_is_darker_than_in_it(small):
    head = Volume(small["t1"].array * 100 + small["brain"].array * 10, small["t1"].affine)
    head.array[::6, ::4, ::4] *= 5
    assert from_itk(simplify(head, None)).array.max() < 200
    brain = small["brain"].array > 0
    cut = from_itk(simplify(head, brain)).array
    assert cut[2:6].max() < cut[15:25, 15:25, 15:25].min()


def test_coarse_voxels_cover_the_same_extent():
    array = np.zeros((50, 50, 10), np.float32)
    array[20:30, 10:20, 4:6] = 1
    image = Volume(array, np.diag([1.0, 1, 5, 1]))
    image.affine[:3, 3] = 7, 8, 9
    coarse = from_itk(coarsen(to_itk(image)))
    assert coarse.array.shape == (20, 20, 20) and coarse.spacing_mm == pytest.approx([2.5] * 3)
    assert coarse.affine[:3, 3] == pytest.approx([7.75, 8.75, 9 - 2.5 + 1.25])
    mass = np.argwhere(coarse.array > 0.5) @ coarse.affine[:3, :3].T + coarse.affine[:3, 3]
    assert mass.mean(axis=0) == pytest.approx([7 + 24.5, 8 + 14.5, 9 + 22.5], abs=1.3)


def test_the_search_starts_with_the_templates_centre_on_the_heads(small, monkeypatch):
    monkeypatch.setattr(template_search, "find_centre", lambda work, stripped: np.array([5.0, 6, 7]))
    starts = start_matrices(None, True)
    places = np.array([start @ [*CENTRE_MM, 1] for start in starts])[:, :3]
    assert len(starts) == 27 and sorted(set(places[:, 2].round(6))) == [-13, 7, 27]
    assert places[:, :2] == pytest.approx(np.tile([5, 6], (27, 1)))
    assert len({tuple(start[:3, :3].round(6).ravel()) for start in starts}) == 9
    angles = Rotation.from_matrix([start[:3, :3] for start in starts]).as_euler("zxy", degrees=True)
    assert {tuple(turn) for turn in angles.round(4) + 0.0} == {(z, x, 0) for z in (-15, 0, 15) for x in (-10, 5, 20)}


def test_the_centre_of_a_brain_and_of_a_head_below_its_top(small):
    ball = to_itk(Volume(small["brain"].array * 100, cube(corner_mm=(-40, -60, 100))))
    assert find_centre(ball, True) == pytest.approx([10, -10, 150], abs=1.5)
    across, along, up = find_centre(ball, False)
    assert (across, along) == pytest.approx((10, -10), abs=1.5)
    assert up == pytest.approx(150 + 32 - 80, abs=3)  # 80 mm under the top, as the template's centre is


def test_shells_around_the_templates_brain(small):
    coarse = {name: to_itk(volume) for name, volume in small.items()}
    t1, brain, outside_mm, height_mm, affine = template_arrays(coarse)
    assert t1.shape == (58, 58, 58) and affine[:3, 3] == pytest.approx([-50 - 9 * EDGE] * 3)
    assert np.array_equal(brain[9:-9, 9:-9, 9:-9], small["brain"].array > 0)
    assert height_mm[[0, 29]] == pytest.approx([-72.5, 0])
    still, mask = (from_itk(image).array for image in draw_template(coarse, stripped=False, shells=True))
    middle = np.s_[:, 29, 29]
    for least_mm, most_mm, value in ((2.4, 8.9, -0.2), (9, 15.9, 1.3), (16, 100, -0.5)):
        shell = (outside_mm[middle] >= least_mm) & (outside_mm[middle] <= most_mm)
        assert shell.any() and still[middle][shell] == pytest.approx(value)
    assert still[brain] == pytest.approx(t1[brain])
    above = np.arange(58) > 29
    assert np.array_equal(mask > 0, brain | ((outside_mm < 22) & above))  # not the face
    bare, near = (from_itk(image).array for image in draw_template(coarse, stripped=False))
    assert bare[~brain] == pytest.approx(-0.5) and np.array_equal(near > 0, brain | ((outside_mm < 4) & above))
    _, all_round = draw_template(coarse, stripped=True)
    assert np.array_equal(from_itk(all_round).array > 0, outside_mm < 4)


def test_a_registration_starts_from_its_matrix_about_the_templates_centre(small):
    start = rigid_matrix((4, -7, 12), (3, -2, 5), (1, 2, 3))
    mask = to_itk(small["brain"], np.uint8)
    for rigid in (True, False):
        method, transform = template_search.make_method(mask, start, rigid)
        assert matrix_of(transform) == pytest.approx(start) == matrix_of(method.GetInitialTransform())
        assert transform.GetCenter() == pytest.approx(CENTRE_MM * (-1, -1, 1))


def test_the_affine_map_leads_from_the_template_to_the_head(small, monkeypatch):
    """A larger, turned and shifted ball is found again, by the brain's place and its size."""
    monkeypatch.setattr(template_search, "CENTRE_MM", np.zeros(3))
    monkeypatch.setattr(template_search, "NUM_STARTS", 1)
    truth = rigid_matrix((5, 0, 0), (8, -6, 4), (0, 0, 0)) @ np.diag([1.1, 1, 1.05, 1])
    grid = to_itk(Volume(np.zeros((48, 48, 48), np.float32), cube((48, 48, 48), corner_mm=(-60, -60, -60))))
    back = to_itk_transform(np.linalg.inv(truth))
    moved = sitk.Resample(to_itk(small["t1"]), grid, back, sitk.sitkLinear, 0.0)
    found = find_affine(moved, {name: to_itk(volume) for name, volume in small.items()}, True)
    places = np.c_[np.argwhere(small["brain"].array > 0) * EDGE - 50, np.ones(np.count_nonzero(small["brain"].array))]
    assert np.linalg.norm(((found - truth) @ places.T)[:3], axis=0).mean() < 1
    assert np.linalg.norm(found[:3, :3], axis=0) == pytest.approx([1.1, 1, 1.05], abs=0.03)


def test_an_image_is_predicted_by_its_features_and_outliers_count_little():
    rng = np.random.default_rng(0)
    columns = rng.normal(size=(20, 20, 20, 3)).astype(np.float32)
    outside_mm = np.broadcast_to(np.arange(20.0)[:, None, None], (20, 20, 20))
    truth = columns @ [3, -2, 5]
    array = truth + rng.normal(0, 0.1, truth.shape)
    array[2:4, :10] += 300  # a tumour
    array[9:] = 1e6  # too far away to count
    found, near = predict(Volume(array.astype(np.float32), np.eye(4)), columns, outside_mm)
    assert np.array_equal(near, outside_mm < 8)
    assert np.abs(found - truth)[near].max() < 0.5


def test_features_are_tissues_and_shells_in_the_heads_place(small):
    """The head lies 10 mm to the right of the template."""
    grid = to_itk(Volume(np.zeros((40, 40, 40), np.float32), cube()))
    maps = {name: to_itk(volume) for name, volume in small.items()}
    columns, outside_mm = features(grid, maps, shift_transform(right=-10))
    names = ("brain", "t1", "white", "grey")
    brain, t1, white, grey = (np.pad(small[name].array, [(4, 0), (0, 0), (0, 0)])[:-4] for name in names)
    assert columns.shape == (40, 40, 40, 12)
    expected = [brain, t1 * brain, t1**2 * brain, white, grey, white**2, grey**2, white * grey]
    assert np.allclose(columns[..., :8], np.stack(expected, -1), atol=1e-4)
    assert np.allclose(outside_mm, ndimage.distance_transform_edt(brain < 0.5) * EDGE)
    for number, mm in enumerate((2, 5, 8, 11), start=8):
        shell = np.exp(-(((outside_mm - mm) / 2) ** 2) / 2) * (outside_mm > 0)
        assert np.allclose(columns[..., number], shell, atol=1e-5)


def test_a_bend_moves_the_heads_points_to_where_the_template_has_their_tissue(small):
    """The head's front half is shifted by 3 mm to the right, in a contrast of its own; the deformation finds a part."""
    maps = {name: to_itk(volume) for name, volume in small.items()}
    source = np.indices(small["t1"].array.shape).astype(float)
    source[0] -= 3 / EDGE / (1 + np.exp(-(source[1] - 20) / 2))
    t1, brain = (ndimage.map_coordinates(small[name].array, source, order=1) for name in ("t1", "brain"))
    noise = np.random.default_rng(1).normal(0, 10, t1.shape)
    painted = np.where(brain < 0.5, 20, 500 - 300 * t1) + noise
    deformation, explained = fit_deformation(to_itk(Volume(painted.astype(np.float32), cube())), maps, NO_DEFORMATION)
    places = np.array([(x, y, z) for x in (-8, 0, 8) for y in (-18, 18) for z in (-8, 0, 8)], float)
    moves = (
        np.array([deformation.TransformPoint(tuple(place * (-1, -1, 1))) for place in places]) * (-1, -1, 1) - places
    )
    front, back = (moves[places[:, 1] * sign > 0].mean(axis=0) for sign in (1, -1))
    assert -3 < front[0] < -0.8 and -0.6 < back[0] < 0.1
    assert np.abs([front[1:], back[1:]]).max() < 0.4
    assert 0.9 < explained < 1
