"""Series of DICOM files as a scanner writes them, with somebody's identity in them."""

from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import EnhancedMRImageStorage, ExplicitVRLittleEndian, MRImageStorage, generate_uid

TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
AFFINE = np.array([[2.0, 0, 0, -15], [0, 2.0, 0, -20], [0, 0, 5.0, 30], [0, 0, 0, 1]])

IDENTITY = {
    "PatientName": "Müßigbrodt^Jörg",
    "PatientID": "KH4711-0815",
    "PatientBirthDate": "19610723",
    "InstitutionName": "Klinikum Hinterwald",
    "InstitutionAddress": "Tannenweg 77",
    "ReferringPhysicianName": "Eisenbarth^Kuno",
    "StudyDate": "20190314",
    "SeriesDate": "20190314",
    "AcquisitionDate": "20190314",
    "ContentDate": "20190314",
    "StudyTime": "112233.44",
    "ImageComments": "Herr Muessigbrodt klagt",
    "PatientComments": "wohnt bei Tante Frieda",
    "StudyDescription": "Schaedel Muessigbrodt",
    "AccessionNumber": "ACC998877",
    "DeviceSerialNumber": "SN556644",
    "StationName": "MRTURM9",
    "OperatorsName": "Zwirner",
}
"""Tags that must never come out."""
PIXEL_TAGS = {
    "SamplesPerPixel": 1,
    "PhotometricInterpretation": "MONOCHROME2",
    "BitsAllocated": 16,
    "BitsStored": 16,
    "HighBit": 15,
    "PixelRepresentation": 0,
}


def write_series(folder, array, number, tags=None, each=None, affine=AFFINE, uids=None, name="IM") -> list[Path]:
    """Write voxels as one series of single-slice MR images.

    Args:
        folder: where to.
        array: whole numbers 0 to 65535, shape (i, j, k) or (i, j, k, t), as they are stored.
        number: of the series.
        tags: DICOM keywords and their values, the same in every file.
        each: for each volume its own keywords, or (group, element, VR) and values.
        affine: 4 x 4, voxel index to millimetres, RAS+.
        uids: of the series and of the study.
        name: what the files' names begin with.
    """
    volumes = array[..., None] if array.ndim == 3 else array
    uids = uids or (generate_uid(), "1.2.826.0.1.3680043.8.498.1")
    files = []
    for t in range(volumes.shape[3]):
        for k in range(volumes.shape[2]):
            instance = t * volumes.shape[2] + k + 1
            slice_tags = {
                "InstanceNumber": instance,
                "SeriesNumber": number,
                **(tags or {}),
                **(each[t] if each else {}),
            }
            files.append(Path(folder, f"{name}{number:03}_{instance:05}.dcm"))
            write_slice(files[-1], volumes[:, :, k, t], k, affine, uids, slice_tags)
    return files


def write_slice(path, pixels, k, affine, uids, tags) -> None:
    """Write one slice (i, j), the k-th of its grid; i runs along a row."""
    lps = TO_LPS @ affine
    spacing = np.linalg.norm(lps[:3, :3], axis=0)
    slice_ = Dataset()
    slice_.file_meta = FileMetaDataset()
    slice_.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    standard = {
        "SpecificCharacterSet": "ISO_IR 100",
        "ImageType": ["ORIGINAL", "PRIMARY", "M", "ND"],
        "SOPClassUID": MRImageStorage,
        "SOPInstanceUID": generate_uid(),
        "Modality": "MR",
        "Manufacturer": "SIEMENS",
        "MagneticFieldStrength": 3,
        "SliceThickness": spacing[2],
        "SeriesInstanceUID": uids[0],
        "StudyInstanceUID": uids[1],
        "FrameOfReferenceUID": "1.2.826.0.1.3680043.8.498.2",
        "ImagePositionPatient": [f"{x:.6f}" for x in (lps @ [0, 0, k, 1])[:3]],
        "ImageOrientationPatient": [f"{x:.6f}" for x in (lps[:3, :2] / spacing[:2]).T.ravel()],
        "PixelSpacing": [spacing[1], spacing[0]],
        "Rows": pixels.shape[1],
        "Columns": pixels.shape[0],
    }
    for keyword, value in (PIXEL_TAGS | standard | IDENTITY | tags).items():
        if isinstance(keyword, str):
            setattr(slice_, keyword, value)
        else:
            slice_.add_new(keyword[:2], keyword[2], value)
    slice_.PixelData = np.ascontiguousarray(pixels.T, dtype="<u2").tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    slice_.save_as(path, enforce_file_format=True)


def write_enhanced(path, array, number, tags=None, missing=(), affine=AFFINE) -> None:
    """Write voxels (i, j, k) as one multi-frame file, without the slices k that are missing."""
    lps = TO_LPS @ affine
    spacing = np.linalg.norm(lps[:3, :3], axis=0)
    file = Dataset()
    file.file_meta = FileMetaDataset()
    file.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    slices = [k for k in range(array.shape[2]) if k not in missing]
    frames = []
    for k in slices:
        groups = {
            "FrameContentSequence": {"StackID": "1", "InStackPositionNumber": k + 1},
            "PlanePositionSequence": {"ImagePositionPatient": [f"{x:.6f}" for x in (lps @ [0, 0, k, 1])[:3]]},
            "PixelMeasuresSequence": {"PixelSpacing": [spacing[1], spacing[0]], "SliceThickness": spacing[2]},
            "MREchoSequence": {"EffectiveEchoTime": 3.0},
        }
        frames.append(_with(Dataset(), {name: [_with(Dataset(), own)] for name, own in groups.items()}))
    turn = [f"{x:.6f}" for x in (lps[:3, :2] / spacing[:2]).T.ravel()]
    shared = {
        "PlaneOrientationSequence": [_with(Dataset(), {"ImageOrientationPatient": turn})],
        "MRTimingAndRelatedParametersSequence": [_with(Dataset(), {"RepetitionTime": 2200, "FlipAngle": 9})],
    }
    standard = {
        "ImageType": ["ORIGINAL", "PRIMARY", "M", "NONE"],
        "SOPClassUID": EnhancedMRImageStorage,
        "SOPInstanceUID": generate_uid(),
        "SeriesInstanceUID": generate_uid(),
        "Modality": "MR",
        "Manufacturer": "SIEMENS",
        "SpecificCharacterSet": "ISO_IR 100",
        "SeriesNumber": number,
        "InstanceNumber": 1,
        "NumberOfFrames": len(slices),
        "SharedFunctionalGroupsSequence": [_with(Dataset(), shared)],
        "PerFrameFunctionalGroupsSequence": frames,
        "Rows": array.shape[1],
        "Columns": array.shape[0],
        "PixelData": np.ascontiguousarray(array[..., slices].T, dtype="<u2").tobytes(),
    }
    _with(file, PIXEL_TAGS | standard | IDENTITY | (tags or {}))
    path.parent.mkdir(parents=True, exist_ok=True)
    file.save_as(path, enforce_file_format=True)


def _with(dataset: Dataset, tags: dict) -> Dataset:
    """A data set with these tags too."""
    for keyword, value in tags.items():
        setattr(dataset, keyword, value)
    return dataset


def noise(shape, seed: int) -> np.ndarray:
    """Voxels of a head of a kind: whole numbers, each place its own."""
    return np.random.default_rng(seed).integers(100, 1000, shape)
