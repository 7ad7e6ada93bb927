"""Make the raw images of a phantom patient: thick slices, head motion between series, DWI and DSC series.

The true rCBV and ADC, the masks on the grid of the T1Gd and the position of each series are stored in `truth/`.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy import ndimage

from glioma_idh.errors import InputError
from glioma_idh.files import write_json, write_text
from glioma_idh.imaging.resampling import resample, rigid_matrix
from glioma_idh.imaging.volumes import Volume, write_volume
from glioma_idh.phantom.anatomy import Anatomy
from glioma_idh.phantom.diffusion_series import B_VALUES, make_dwi
from glioma_idh.phantom.lesions import make_body
from glioma_idh.phantom.perfusion_series import DscProtocol, make_dsc
from glioma_idh.phantom.recipe import PhantomRecipe, draw_truth, random_stream
from glioma_idh.phantom.signal import draw_signal, make_image

MOVED_DEG, MOVED_MM = 2.0, 3.0  # head motion between series: standard deviation around and along each axis
SPACING_MM = {"t1": (1, 1, 5), "t2": (1, 1, 5), "flair": (1, 1, 5), "dwi": (2, 2, 4), "dsc": (2, 2, 5)}
ECHO_TIMES_S = {1: (0.030,), 2: (0.008, 0.030)}
TILT_DEG = 12.0
SCALP = {"t1": 1.6, "t1gd": 1.7, "t2": 0.7, "flair": 0.8}  # signal of the scalp relative to white matter


def make_raw_patient(
    folder: str | Path, index: int = 0, recipe: PhantomRecipe | None = None, num_echoes: int = 1
) -> Path:
    """Make the raw images of one phantom subject, unless they exist.

    Args:
        folder: the output folder.
        index: index of the subject, from 0.
        recipe: parameters of the phantom.
        num_echoes: number of echoes of the DSC series, 1 or 2.

    Returns:
        The patient's folder in `folder`, with `t1 t1gd t2 flair dwi dsc .nii.gz` (`dsc_e1 dsc_e2` for two echoes), JSON
        sidecars, and `lesion_mask.nii.gz` on the grid of the T2. The true maps are in `truth/` next to it.

    Raises:
        InputError: the patient exists with another number of echoes.
    """
    recipe, protocol = recipe or PhantomRecipe(), DscProtocol(ECHO_TIMES_S[num_echoes])
    truth = draw_truth(recipe).iloc[index]
    patient, known = Path(folder, truth["subject"]), Path(folder, "truth", truth["subject"])
    echoes = ["dsc"] if num_echoes == 1 else [f"dsc_e{number}" for number in range(1, num_echoes + 1)]
    if (known / "placement.json").exists():
        if not all((patient / f"{name}.nii.gz").exists() for name in echoes):
            expected = f"a DSC series with echo times {protocol.echo_times_s} s"
            raise InputError(expected, "another number of echoes", "Choose another folder.", file=patient)
        return patient
    anatomy, lesion = make_body(recipe, index)
    affine, rng = anatomy.grid.affine, random_stream(recipe, index, "raw")
    moved = {name: _movement(rng) for name in ("t1", "t2", "flair", "dwi", "dsc")} | {"t1gd": np.eye(4)}

    def write_scan(name: str, series: str, array: np.ndarray) -> None:
        volume = Volume(array, affine)
        acquired = volume if series == "t1gd" else acquire(volume, SPACING_MM[series], moved[series])
        write_volume(patient / f"{name}.nii.gz", np.round(acquired.array).astype(np.int16), acquired.affine)

    for name in SCALP:
        draw = draw_signal(random_stream(recipe, index, name), anatomy.grid)
        image = make_image(name, anatomy, lesion, truth[f"z_{name}"], draw)
        write_scan(name, name, _with_scalp(name, image.astype(np.float32), anatomy, draw.noise))
    series, adc = make_dwi(anatomy, lesion, truth["z_adc"], rng)
    write_scan("dwi", "dwi", series)
    write_text(" ".join(map(str, B_VALUES)) + "\n", patient / "dwi.bval")
    of_echoes, rcbv = make_dsc(anatomy, lesion, truth["z_rcbv"], rng, protocol)
    for name, series, echo_time_s in zip(echoes, of_echoes, protocol.echo_times_s, strict=True):
        write_scan(name, "dsc", series)
        sidecar = {"EchoTime": echo_time_s, "RepetitionTime": protocol.repetition_time_s}
        write_text(json.dumps(sidecar, indent=2) + "\n", patient / f"{name}.json")
    drawn = acquire(Volume(lesion.mask.astype(np.float32), affine), SPACING_MM["t2"], moved["t2"])
    write_volume(patient / "lesion_mask.nii.gz", (drawn.array >= 0.5).astype(np.uint8), drawn.affine)
    masks = {"lesion_mask": lesion.mask.astype(np.uint8), "brain_mask": anatomy.brain.astype(np.uint8)}
    for name, array in (masks | {"adc": adc.astype(np.float32), "rcbv": rcbv.astype(np.float32)}).items():
        write_volume(known / f"{name}.nii.gz", array, affine)
    write_json({name: matrix.tolist() for name, matrix in moved.items()}, known / "placement.json")
    return patient


def acquire(volume: Volume, spacing_mm: Sequence[float], moved: np.ndarray, tilt_deg: float = TILT_DEG) -> Volume:
    """Simulate the acquisition of a moved head in thick slices. Each slice is the mean over its thickness.

    Args:
        volume: the head, 3D or 4D.
        spacing_mm: spacing of the acquired volume, shape (3,).
        moved: matrix from positions in the T1Gd to positions of the same tissue in this series, mm, 4 x 4.
        tilt_deg: tilt of the slices around the left-right axis.
    """
    fine = max(1, round(spacing_mm[2] / volume.spacing_mm[2]))
    shape = np.ceil(volume.spacing_mm * volume.array.shape[:3] / spacing_mm).astype(int)
    edges = np.array([*spacing_mm[:2], spacing_mm[2] / fine])
    turn = rigid_matrix((tilt_deg, 0, 0), (0, 0, 0), (0, 0, 0))[:3, :3]
    affine, count = np.eye(4), shape * (1, 1, fine)
    affine[:3, :3] = turn * edges
    centre = volume.affine @ [*(np.array(volume.array.shape[:3]) - 1) / 2, 1]
    affine[:3, 3] = centre[:3] - affine[:3, :3] @ ((count - 1) / 2)
    thin = resample(volume, Volume(np.broadcast_to(np.uint8(0), count), affine), np.linalg.inv(moved))
    slices = thin.array.reshape(*shape[:2], shape[2], fine, *thin.array.shape[3:]).mean(axis=3)
    thick = affine.copy()
    thick[:3, 2] *= fine
    thick[:3, 3] += affine[:3, 2] * (fine - 1) / 2
    return Volume(slices, thick)


def _movement(rng: np.random.Generator) -> np.ndarray:
    """Draw a small rotation and translation of the head around the centre of the grid."""
    return rigid_matrix(rng.normal(0, MOVED_DEG, 3), rng.normal(0, MOVED_MM, 3), (0, -17, 12))


def _with_scalp(name: str, image: np.ndarray, anatomy: Anatomy, noise: np.ndarray) -> np.ndarray:
    """Add fluid, a dark skull and a bright scalp around the brain, and noise in the air."""
    away_mm = ndimage.distance_transform_edt(~anatomy.brain) * anatomy.grid.spacing_mm
    white = np.median(image[anatomy.white > 0.9])
    scalp = (away_mm > 7) & (away_mm < 13)
    around = {"t2": 1.8}.get(name, 0.25) * ((away_mm > 0) & (away_mm <= 3)) + SCALP[name] * scalp
    return np.where(anatomy.brain, image, np.abs(white * (around + 0.025 * noise[0])))
