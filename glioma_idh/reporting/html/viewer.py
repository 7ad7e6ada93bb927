"""Pack scans into a page: each volume is one compressed image of all its slices, in 256 greys.

The script of the page extracts slices in any plane from it, so nothing is stored twice or loaded from elsewhere.
"""

import base64
import io

import numpy as np
from PIL import Image

from glioma_idh.cohorts.table import SEQUENCES
from glioma_idh.imaging.volumes import Box, crop
from glioma_idh.reporting.figures.canvas import display_name
from glioma_idh.reporting.figures.cases import Case, grey_window
from glioma_idh.reporting.figures.overlays import OUTLINES
from glioma_idh.reporting.figures.sheet import PLANES, SIDES

MOST_VOXELS = 4_500_000  # per volume; a brain in 1 mm voxels is below this
MOST_BITS = 50_000_000  # all volumes together, as for six subjects with four sequences: 6 MB, 8 MB as text
BITS = {90: 1.55, 75: 0.96, 60: 0.83, 40: 0.60, 30: 0.50}  # bits per voxel by quality, on a T1 template with 3 % noise
LOWEST_QUALITY = 25


def pack_cases(cases: dict[str, Case]) -> dict:
    """The data that the script needs to show the cases, by their name in the list, ready for JSON.

    Returns:
        `planes` (axes across, up and through), `sides` (letters left and right), `outlines` (name, colour and width in
        pixels), `size_mm` (width and height that fit every slice of every case) and `cases`. Each case is cropped to
        its box and has `shape`, `spacing_mm` of the stored voxels, `start` and `step` (stored voxel n is voxel
        start + step * n of the scan), `centre` (a stored voxel), `images` ([printed name, image]) and `outlines`
        (images; None if no lesion was found).
    """
    if not cases:
        raise ValueError("expected at least one subject to look at; found none")
    num_voxels = sum(np.prod(_grid(case)[1]) * len(case.images) for case in cases.values())
    quality = next((q for q, bits in BITS.items() if bits * num_voxels <= MOST_BITS), LOWEST_QUALITY)
    i, j, k = np.max([case.size_mm for case in cases.values()], axis=0)
    return {
        "planes": {plane: [*axes, 3 - sum(axes)] for plane, axes in PLANES.items()},
        "sides": SIDES,
        "outlines": {name: [words, colour, width * 96 / 72] for name, (words, colour, width) in OUTLINES.items()},
        "size_mm": [float(max(i, j)), float(max(j, k))],
        "cases": [_pack_case(name, case, quality) for name, case in cases.items()],
    }


def _pack_case(name: str, case: Case, quality: int) -> dict:
    """Pack one subject; large volumes are downsampled by integer steps; lesions are stored without loss."""
    steps, shape = _grid(case)
    start = np.array([start for start, _ in case.box])
    sequences = [name for name in SEQUENCES if name in case.images]
    images = {name: _coarser(_greys(case.images[name], case.box), steps) for name in sequences}
    lesions = {name: _coarser(crop(lesion, case.box), steps) >= 0.5 for name, lesion in case.outlines.items()}
    return {
        "name": name,
        "title": case.title,
        "shape": shape,
        "spacing_mm": [float(mm * step) for mm, step in zip(case.spacing_mm, steps, strict=True)],
        "start": start.tolist(),
        "step": steps,
        "centre": ((case.centre - start) // steps).tolist(),
        "images": {name: [display_name(name), pack_volume(image, quality)] for name, image in images.items()},
        "outlines": {name: pack_volume(lesion) if lesion.any() else None for name, lesion in lesions.items()},
    }


def pack_volume(volume: np.ndarray, quality: int = 0) -> str:
    """Pack a volume into one nearly square image of its slices k in rows, with axis i to the right and j down.

    Greys (0 to 255) become a WebP of this quality, booleans a PNG with one bit per voxel; returned as a `data:` URL.
    """
    width, height, number = volume.shape
    columns = int(np.ceil(np.sqrt(number * height / width)))
    rows = -(-number // columns)
    tiles = np.zeros((rows * columns, height, width), volume.dtype)
    tiles[:number] = volume.transpose(2, 1, 0)
    sheet = tiles.reshape(rows, columns, height, width).swapaxes(1, 2).reshape(rows * height, columns * width)
    picture = io.BytesIO()
    if volume.dtype == bool:
        kind = "png"
        Image.fromarray(sheet).save(picture, kind, optimize=True)
    else:
        kind = "webp"
        Image.fromarray(sheet.round().astype(np.uint8)).save(picture, kind, quality=quality, method=2)
    return f"data:image/{kind};base64,{base64.b64encode(picture.getvalue()).decode()}"


def _greys(image: np.ndarray, box: Box) -> np.ndarray:
    """Greys (0 to 255) inside a box, with the grey window of the figures."""
    low, high = grey_window(image)
    low = low if low < high else high - 1
    return np.clip((crop(image, box) - np.float32(low)) * np.float32(255 / (high - low)), 0, 255)


def _grid(case: Case) -> tuple[list[int], list[int]]:
    """Downsampling step and resulting shape along each axis; the finest axes are downsampled first."""
    sides = np.array([stop - start for start, stop in case.box])
    steps = np.ones(3, int)
    while np.prod(-(-sides // steps)) > MOST_VOXELS:
        steps[np.where(sides > steps, steps * case.spacing_mm, np.inf).argmin()] *= 2
    return steps.tolist(), (-(-sides // steps)).tolist()


def _coarser(volume: np.ndarray, steps: list[int]) -> np.ndarray:
    """Means over blocks of voxels; edge voxels are repeated to fill the last block."""
    if max(steps) == 1:
        return volume
    padded = np.pad(volume, [(0, -n % step) for n, step in zip(volume.shape, steps, strict=True)], mode="edge")
    blocks = [part for n, step in zip(padded.shape, steps, strict=True) for part in (n // step, step)]
    return padded.reshape(blocks).mean(axis=(1, 3, 5))
