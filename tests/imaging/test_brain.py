"""Bias fields, skulls and template fits whose truth is known: phantoms, shells put around them, and one real head."""

from functools import cache
from typing import NamedTuple

import numpy as np
import pytest
from scipy import ndimage

from glioma_idh.errors import InputError
from glioma_idh.imaging.brain import bias_field, correct_bias, extract_brain, looks_stripped
from glioma_idh.imaging.registration.rigid import register_rigid
from glioma_idh.imaging.registration.template import TemplateFit, fit_template
from glioma_idh.imaging.resampling import from_itk, to_itk, to_itk_transform
from glioma_idh.imaging.volumes import Volume, bounding_box, crop, read_volume
from glioma_idh.phantom.anatomy import draw_anatomy, make_anatomy
from glioma_idh.phantom.fields import make_grid
from glioma_idh.phantom.lesions import draw_lesion, make_lesion
from glioma_idh.phantom.signal import draw_signal, make_image

sitk = pytest.importorskip("SimpleITK")

pytestmark = pytest.mark.integration

NATIVE = "native_TCGA-FG-6692/TCGA-FG-6692_native_{}.nii.gz"
FULL = "brats20_full/MICCAI_BraTS2020_TrainingData/BraTS20_Training_{0}/BraTS20_Training_{0}_{1}.nii.gz"
NO_BEND = sitk.Transform(3, sitk.sitkIdentity)


def dice(first, second):
    return 2 * np.count_nonzero(first & second) / (np.count_nonzero(first) + np.count_nonzero(second))


class Subject(NamedTuple):
    """What is known of a phantom subject, in a box around its brain."""

    brain: np.ndarray
    white: np.ndarray
    atlas_mm: np.ndarray
    lesion: np.ndarray
    affine: np.ndarray


@pytest.fixture(scope="module")
def subject():
    """Anatomy with lesion, and a function that makes one sequence of a phantom subject, 3 mm, 6 mm around its brain."""
    rng, grid = np.random.default_rng(3), make_grid(3.0)
    anatomy = make_anatomy(draw_anatomy(rng), grid)
    lesion = make_lesion(draw_lesion(rng), anatomy)
    draw = draw_signal(rng, grid)
    box = tuple((max(0, start - 2), stop + 2) for start, stop in bounding_box(anatomy.brain))
    affine = grid.affine.copy()
    affine[:3, 3] += [start * 3.0 for start, _ in box]
    known = anatomy.brain, anatomy.white, anatomy.atlas_mm, lesion.shares.sum(axis=0)

    @cache
    def image(sequence):
        return Volume(crop(make_image(sequence, anatomy, lesion, 0.0, draw), box).astype(np.float32), affine)

    return Subject(*(part[(..., *(slice(*side) for side in box))].copy() for part in known), affine), image


@pytest.fixture(scope="module")
def stripped_fit(subject):
    _, image = subject
    return fit_template(image("t1gd"))


def put_in_a_head(brain: Volume, mask) -> tuple[Volume, np.ndarray]:
    """The brain in fluid (2 mm), skull (to 9 mm), scalp (to 16 mm) and air with noise; and its mask on the new grid."""
    rng, edges = np.random.default_rng(0), np.ceil(18 / brain.spacing_mm).astype(int)
    width = [(edge, edge) for edge in edges]
    mask = ndimage.binary_fill_holes(ndimage.binary_closing(np.pad(mask, width), iterations=2))
    array = np.pad(brain.array, width)
    level = np.median(array[mask])
    outside_mm = ndimage.distance_transform_edt(~mask, sampling=brain.spacing_mm)
    layers = [outside_mm < limit for limit in (0.1, 2, 9, 16)]
    array = np.select(layers, [np.where(array > 0, array, 0.35 * level), 0.35 * level, 0.08 * level, 1.5 * level], 0)
    real, imaginary = 0.03 * level * rng.normal(size=(2, *array.shape))
    affine = brain.affine.copy()
    affine[:3, 3] -= affine[:3, :3] @ edges
    return Volume(np.hypot(array + real, imaginary).astype(np.float32), affine), mask


def test_stripped_or_not(subject):
    anatomy, image = subject
    assert all(looks_stripped(image(sequence)) for sequence in ("t1gd", "flair", "adc"))
    assert not looks_stripped(put_in_a_head(image("t1"), anatomy.brain)[0])


def test_half_a_head_is_no_brain(subject):
    anatomy, image = subject
    head, _ = put_in_a_head(image("t1"), anatomy.brain)
    zeroed = np.where(head.array > 0.3 * np.median(head.array[head.array > 0]), head.array, 0)  # air exactly 0
    assert not looks_stripped(Volume(zeroed[:, :, 35:50], head.affine))


def test_real_images_stripped_or_not(real_data):
    mini = sorted((real_data / "brats20_mini").glob("*/BraTS20_Training_3[0-3]*/*_t*.nii.gz"))
    full = [real_data / FULL.format(*which) for which in ((295, "t1ce"), (320, "flair"))]
    assert mini and all(looks_stripped(read_volume(path)) for path in [*mini, *full])
    assert not any(looks_stripped(read_volume(real_data / NATIVE.format(name))) for name in ("t1c", "t2", "fla"))


def test_bias_field_comes_back(subject):
    anatomy, image = subject
    clean = image("t1")
    x, y, z = np.meshgrid(*[np.linspace(-1, 1, n) for n in clean.array.shape], indexing="ij")
    field = 0.35 * x - 0.25 * y * z + 0.3 * np.cos(2 * z)
    biased = Volume((clean.array * np.exp(field)).astype(np.float32), clean.affine)
    corrected = correct_bias(biased)
    tissue = anatomy.brain & (clean.array > 0)
    found = np.log(biased.array[tissue] / corrected.array[tissue])
    assert np.corrcoef(found, field[tissue])[0, 1] > 0.95
    white = tissue & (anatomy.white > 0.9) & (anatomy.lesion < 0.01)
    spread = [np.std(v.array[white]) / np.mean(v.array[white]) for v in (clean, biased, corrected)]
    assert spread[1] > 0.14 and spread[2] < 1.3 * spread[0]
    assert corrected.array[biased.array != 0].mean() == pytest.approx(biased.array[biased.array != 0].mean(), rel=1e-5)
    assert (corrected.array[~anatomy.brain] == 0).all()


def test_bias_field_is_the_same_bits_on_any_number_of_threads(subject, monkeypatch):
    _, image = subject
    monkeypatch.setattr("glioma_idh.imaging.brain.BIAS_ITERATIONS", (3,))
    t1, before = image("t1"), sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    fields = []
    try:
        for number in (1, 2, 5, 16):
            sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(number)
            field = bias_field(to_itk(t1), to_itk(Volume(t1.array > 0, t1.affine), np.uint8))
            fields.append(sitk.GetArrayFromImage(field))
            assert sitk.ProcessObject.GetGlobalDefaultNumberOfThreads() == number
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)
    assert fields[0].any() and all(np.array_equal(field, fields[0]) for field in fields)


def test_bias_of_z_scores_is_refused(subject):
    _, image = subject
    t1 = image("t1")
    scores = np.where(t1.array > 0, (t1.array - 500) / 100, 0)
    with pytest.raises(InputError, match="z-scores.*as acquired"):
        correct_bias(Volume(scores, t1.affine))


def test_mask_without_positive_voxels(subject):
    _, image = subject
    with pytest.raises(InputError, match="positive voxels"):
        correct_bias(image("t1"), mask=image("t1").array == 0)


@pytest.mark.parametrize("sequence", ["t1gd", pytest.param("t2", marks=pytest.mark.slow)])
def test_template_finds_white_matter(subject, stripped_fit, sequence):
    anatomy, image = subject
    fit = stripped_fit if sequence == "t1gd" else fit_template(image(sequence))
    grid = image(sequence)
    well = anatomy.brain & (anatomy.lesion < 0.05)
    truth = (anatomy.white > 0.5) & well
    affine_alone = TemplateFit(fit.matrix, NO_BEND, fit.scale, fit.overlap, fit.explained, ())
    score, score_affine = (dice((f.map("white", grid) > 0.5) & well, truth) for f in (fit, affine_alone))
    assert fit.problems == () and fit.overlap > 0.98
    assert score > 0.78 and score > score_affine + 0.04
    assert dice(fit.map("brain", grid) > 0.5, anatomy.brain) > 0.95


def test_affine_part_is_about_the_best_there_is(subject, stripped_fit):
    """The phantom is bent, so that no affine map fits it; least squares on the true places gives the best one."""
    anatomy, _ = subject
    places = np.argwhere(anatomy.brain) @ anatomy.affine.T[:3] + anatomy.affine[:, 3]
    truth = anatomy.atlas_mm[:, anatomy.brain].T
    best = np.linalg.lstsq(places, truth, rcond=None)[0].T
    error_mm, least_mm = (
        np.sqrt(((places @ matrix[:3].T - truth) ** 2).sum(axis=1).mean()) for matrix in (stripped_fit.matrix, best)
    )
    assert 2 < least_mm <= error_mm < 1.15 * least_mm
    between = np.abs(truth[:, 0]) < 1.5  # the midsagittal plane
    assert abs((places @ stripped_fit.matrix[0])[between].mean()) < 1.5


def test_mirror_of_a_plain_fit():
    fit = TemplateFit(np.diag([1.0, 1, 1, 1]), NO_BEND, np.ones(3), 1, 1, ())
    affine = np.diag([2.0, 2, 2, 1])
    affine[0, 3] = -9  # centres at -9, -7 ... 9: the plane lies between voxels
    mask = np.zeros((10, 3, 3))
    mask[1, 2, 0] = 4
    assert np.argwhere(fit.mirror(Volume(mask, affine))).tolist() == [[8, 2, 0]]


@pytest.mark.parametrize("sequence", ["t1gd", pytest.param("t2", marks=pytest.mark.slow)])
def test_brain_comes_out_of_a_head(subject, sequence):
    anatomy, image = subject
    head, truth = put_in_a_head(image(sequence), anatomy.brain)
    fit = fit_template(head)
    mask = extract_brain(head, fit)
    assert fit.problems == ()
    assert mask.array.dtype == np.uint8 and set(np.unique(mask.array)) == {0, 1}
    assert np.array_equal(mask.affine, head.affine)
    assert dice(mask.array > 0, truth) > 0.93


def test_brain_of_a_stripped_image_is_its_tissue(subject, stripped_fit):
    anatomy, image = subject
    assert dice(extract_brain(image("t1gd"), stripped_fit).array > 0, anatomy.brain) > 0.99


def real_truth(real_data, name, other):
    """A native image, and the mask of the other group's version of it, laid on it by rigid registration."""
    native = read_volume(real_data / NATIVE.format(name))
    full = read_volume(real_data / FULL.format(320, other))
    t1gd = read_volume(real_data / FULL.format(320, "t1ce"))
    mask = ndimage.binary_fill_holes(t1gd.array != 0)
    found = register_rigid(native, full, mask, max_shift_mm=np.inf)
    assert found.problems == ()
    to_full = to_itk_transform(np.linalg.inv(found.matrix))
    laid = sitk.Resample(to_itk(Volume(mask, full.affine), np.uint8), to_itk(native), to_full, sitk.sitkLinear)
    return native, from_itk(laid).array > 0.5


@pytest.mark.slow
@pytest.mark.parametrize(("name", "other"), [("t1c", "t1ce"), ("t1", "t1"), ("t2", "t2"), ("fla", "flair")])
def test_real_head(real_data, name, other):
    """Thick slices, skull and tumour; the other group's brain mask is the measure."""
    native, truth = real_truth(real_data, name, other)
    even = correct_bias(native)
    fit = fit_template(even)
    assert fit.problems == ()
    assert dice(extract_brain(even, fit).array > 0, truth) > 0.94


@pytest.mark.slow
def test_top_of_a_head_that_is_cut_off_is_said(real_data):
    native = read_volume(real_data / NATIVE.format("t1c"))
    fit = fit_template(Volume(native.array[:, :, 12:], native.affine))
    assert any("lies in the image" in problem for problem in fit.problems)


@pytest.mark.parametrize(
    ("array", "found"),
    [
        (np.zeros((64, 64, 64)), "a constant image"),
        (np.full((64, 64, 64), np.nan), "NaN"),
        (np.random.default_rng(0).random((200, 200, 1)), "200 x 200 x 1 mm"),
        (np.random.default_rng(0).random((200, 200)), r"shape \(200, 200\)"),
        (np.random.default_rng(0).random((64, 64, 64, 2)), r"shape \(64, 64, 64, 2\)"),
    ],
)
def test_what_is_no_head(array, found):
    volume = Volume(array, np.eye(4), "head.nii.gz")
    for work in (fit_template, correct_bias):
        with pytest.raises(InputError, match=rf"head.nii.gz: .*{found}"):
            work(volume)


@pytest.mark.parametrize("mask", [None, np.ones((5, 5, 5))])
def test_mask_that_is_none_of_the_head(subject, mask):
    _, image = subject
    with pytest.raises(InputError, match="brain mask"):
        fit_template(image("t1"), np.zeros(image("t1").array.shape) if mask is None else mask)
