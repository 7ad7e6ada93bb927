"""A patient as the archive hands it out: from DICOM to six sequences, and nothing of the person in any output."""

import gzip

import numpy as np
import pytest

from glioma_idh import prepare
from glioma_idh.imaging.volumes import read_volume
from glioma_idh.phantom.raw import make_raw_patient
from glioma_idh.phantom.recipe import PhantomRecipe
from glioma_idh.preparation.settings import Settings
from glioma_idh.preparation.stages import read_record
from tests.imaging.dicom_series import IDENTITY, write_series

pytestmark = pytest.mark.slow

ECHO_PLANAR = {"ScanningSequence": "EP", "MRAcquisitionType": "2D"}
TAGS = {
    "t1": {"ScanningSequence": "GR", "EchoTime": 4, "RepetitionTime": 18, "SeriesDescription": "Müßigbrodt T1"},
    "t1gd": {
        "ScanningSequence": "GR",
        "EchoTime": 3,
        "RepetitionTime": 2300,
        "InversionTime": 1000,
        "MRAcquisitionType": "3D",
        "ContrastBolusAgent": "Gadovist",
        "SeriesDescription": "MPRAGE KM Muessigbrodt",
    },
    "t2": {"ScanningSequence": "SE", "EchoTime": 95, "RepetitionTime": 5000},
    "flair": {"ScanningSequence": ["SE", "IR"], "EchoTime": 110, "RepetitionTime": 9000, "InversionTime": 2400},
    "dwi": ECHO_PLANAR | {"EchoTime": 80, "RepetitionTime": 5000},
    "dsc": ECHO_PLANAR | {"ScanningSequence": ["GR", "EP"], "EchoTime": 30, "RepetitionTime": 1500},
}  # nothing says that contrast was given for the DSC: functional MRI looks alike

EACH = {
    "dwi": [{"DiffusionBValue": float(b)} for b in (0, 500, 1000)],
    "dsc": [{"TemporalPositionIdentifier": t + 1, "AcquisitionNumber": t + 1} for t in range(60)],
}


@pytest.fixture(scope="module")
def routes(tmp_path_factory):
    """The same raw phantom through both doors: outcomes from NIfTI and from DICOM, and the folder of the latter."""
    place = tmp_path_factory.mktemp("routes")
    nifti = make_raw_patient(place / "raw", recipe=PhantomRecipe(spacing_mm=4.0))
    (nifti / "lesion_mask.nii.gz").unlink()
    dicom = place / "dicom" / "Jörg"
    for number, (role, tags) in enumerate(TAGS.items(), start=1):
        file = nifti / f"{role}.nii.gz"
        volume = read_volume(file, dtype=None, num_axes=4 if role in EACH else 3)
        write_series(dicom, volume.array, number, tags, EACH.get(role), volume.affine)
    jobs = [
        prepare.Job(source, out=place / name, subject="case-1", quiet=True)
        for source, name in ((nifti, "from_nifti"), (dicom, "from_dicom"))
    ]
    (from_nifti,), (without,), (from_dicom,) = (
        prepare.run(job, Settings(series=wanted, spacing_mm=2.0))
        for job, wanted in ((jobs[0], ()), (jobs[1], ()), (jobs[1], ("dsc=6",)))
    )
    assert "rcbv" not in without.files and "--series dsc=6" in without.remarks[0]
    return from_nifti, from_dicom, place / "from_dicom"


def test_both_ways_lead_to_the_same_images(routes):
    from_nifti, from_dicom, out = routes
    assert from_dicom.errors == from_nifti.errors == []
    assert set(from_dicom.files) == {"t1", "t1gd", "t2", "flair", "adc", "rcbv", "brain_mask"}
    for column, path in from_dicom.files.items():
        ours, theirs = (read_volume(file).array for file in (path, from_nifti.files[column]))
        assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.999, column
    assert read_record(out / "case-1")["series"]["dsc"]["series"] == "6"


def test_no_output_tells_who_the_patient_is(routes):
    *_, out = routes
    told = {text for text in IDENTITY.values() if len(text) > 4} | {"Müßigbrodt", "Muessigbrodt", "Jörg", "Gadovist"}
    planted = {text.encode(codec) for text in told for codec in ("utf-8", "latin-1", "utf-16-le")}
    files = [path for path in out.rglob("*") if path.is_file()]
    assert len(files) > 20
    for path in files:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        assert not [text for text in planted if text in content], path
        assert not [text for text in told if text in path.name], path
