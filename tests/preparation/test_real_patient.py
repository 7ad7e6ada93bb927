"""A real patient as acquired (thick slices, three grids, skull), beside what another group's pipeline made of it."""

import numpy as np
import pytest
from scipy import ndimage

from glioma_idh import prepare
from glioma_idh.imaging.brain import correct_bias
from glioma_idh.imaging.registration.rigid import register_rigid
from glioma_idh.imaging.resampling import read_transform, resample
from glioma_idh.imaging.volumes import Volume, read_volume
from glioma_idh.preparation.settings import Settings

pytestmark = pytest.mark.slow

NATIVE = {"t1": "t1", "t1gd": "t1c", "t2": "t2", "flair": "fla"}
THEIRS = {"t1": "t1", "t1gd": "t1ce", "t2": "t2", "flair": "flair"}


@pytest.fixture(scope="module")
def patient(real_data, tmp_path_factory):
    """What came of it, theirs, the way from their millimetres to ours, and the patient's folder.

    `benchmarks/prepare_patient.py` says how long it takes.
    """
    source = real_data / "native_TCGA-FG-6692"
    job = prepare.Job(source, out=tmp_path_factory.mktemp("real"), quiet=True)
    (outcome,) = prepare.run(job, Settings())
    folder = real_data / "brats20_full" / "MICCAI_BraTS2020_TrainingData" / "BraTS20_Training_320"
    theirs = {role: read_volume(folder / f"{folder.name}_{name}.nii.gz") for role, name in THEIRS.items()}
    way = register_rigid(read_volume(outcome.files["t1gd"]), theirs["t1gd"]).matrix
    return outcome, theirs, way, source


def brains(outcome, theirs, way) -> tuple[np.ndarray, np.ndarray]:
    """Our brain mask and theirs, on their grid."""
    ours = resample(read_volume(outcome.files["brain_mask"]), theirs["t1gd"], way, "nearest").array != 0
    return ours, ndimage.binary_fill_holes(theirs["t1gd"].array != 0)


def test_all_lies_on_one_grid(patient):
    outcome, *_ = patient
    assert outcome.errors == [] and outcome.remarks == []
    assert len({read_volume(path).array.shape for path in outcome.files.values()}) == 1
    assert set(outcome.files) == {"t1", "t1gd", "t2", "flair", "brain_mask"}


def test_the_brain_is_theirs(patient):
    outcome, theirs, way, _ = patient
    ours, reference = brains(outcome, theirs, way)
    assert 2 * (ours & reference).sum() / (ours.sum() + reference.sum()) > 0.94


def in_view(role: str, patient) -> np.ndarray:
    """Where both brains are, on their grid, less one slice at each end of the series, where theirs fades to 0."""
    outcome, theirs, way, source = patient
    series = read_volume(source / f"TCGA-FG-6692_native_{NATIVE[role]}.nii.gz")
    inner = np.zeros(series.array.shape, np.float32)
    inner[..., 1:-1] = 1
    if role != "t1gd":
        way = read_transform(outcome.files["t1gd"].parent / "transforms" / f"{role}_to_t1gd.tfm") @ way
    seen = resample(Volume(inner, series.affine), theirs[role], way).array > 0.999
    return np.logical_and(*brains(*patient[:3])) & seen


def test_every_sequence_is_like_theirs(patient):
    """Within 0.05 of the T1Gd's own correlation, theirs bias corrected too."""
    outcome, theirs, way, _ = patient
    correlations = {}
    for role, volume in theirs.items():
        inside = in_view(role, patient)
        ours = resample(read_volume(outcome.files[role]), volume, way).array
        reference = correct_bias(volume, volume.array > 0).array
        correlations[role] = np.corrcoef(ours[inside], reference[inside])[0, 1]
    assert min(correlations.values()) > correlations["t1gd"] - 0.05, correlations


def test_movements_close_in_a_loop(patient):
    """From T1 to FLAIR directly, and by way of the T1Gd, is the same: to 0.5 mm on average over the brain."""
    outcome, theirs, way, source = patient
    t1, flair = (read_volume(source / f"TCGA-FG-6692_native_{NATIVE[role]}.nii.gz") for role in ("t1", "flair"))
    folder = outcome.files["t1gd"].parent / "transforms"
    to_t1, to_flair = (read_transform(folder / f"{role}_to_t1gd.tfm") @ way for role in ("t1", "flair"))
    direct = register_rigid(flair, t1).matrix
    places = np.argwhere(brains(outcome, theirs, way)[1])[::5000]
    places = theirs["t1gd"].affine @ np.column_stack([places, np.ones(len(places))]).T
    assert np.linalg.norm(((direct @ to_t1 - to_flair) @ places)[:3], axis=0).mean() < 0.5
