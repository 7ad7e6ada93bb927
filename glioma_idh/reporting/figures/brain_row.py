"""The brain mask where it is hardest to find: at the vertex, at the skull base, and in the middle planes; its volume.

Source of the normal volumes: Matsumae et al. 1996, J Neurosurg 84:982, of 49 healthy adults of 24 to 80 years. The
brain has 1302 (SD 112) ml in men and 1143 (SD 105) ml in women, with all fluid in the skull 1469 (SD 102) and 1289 (SD
111) ml. How much of the fluid a mask takes in differs from one method to the other, so the range reaches from a small
brain without (women's mean less 2 SD) to a large one with all of it (men's mean and 2 SD).
"""

import numpy as np

from glioma_idh.imaging.volumes import Volume
from glioma_idh.reporting.figures.overlays import PLANES
from glioma_idh.reporting.figures.registration_view import HEAD_AT, LINE, NAME, TEXT, View, draw_contour, draw_picture

NORMAL_ML = (930, 1670)
"""1143 - 2 x 105 = 933 and 1469 + 2 x 102 = 1673, rounded to 10."""
HEAD_MARGIN_MM = 20.0
LEAST_AREA = 0.25
"""Share of the largest axial area of the brain from which on a slice is shown: above only cap or brain stem remains."""
EDGES = (("left", "right"), ("back", "front"), ("bottom", "top"))
PLACES = ("near the vertex", "at the skull base", "middle", "middle")


def brain_view(head: Volume, masks: dict[str, np.ndarray]) -> View:
    """What the row shows: the brain and the head around it.

    Args:
        head: with its skull, where there is one.
        masks: booleans of its shape, `brain` among them.
    """
    return View(head, masks, HEAD_MARGIN_MM)


def row_height(view: View) -> float:
    """Height of the row with its heading and the names of its slices, inches."""
    return (1 + len(describe_brain(view.masks, view.reference.voxel_ml))) * LINE + view.row


def is_normal(volume_ml: float) -> bool:
    """Whether a brain has a volume that is normal in adults."""
    return NORMAL_ML[0] <= volume_ml <= NORMAL_ML[1]


def describe_brain(masks: dict[str, np.ndarray], voxel_ml: float, synthetic: bool = False) -> list[str]:
    """The volume of the brain beside what is normal; in a second line that of the lesion, and where the image ends.

    Args:
        masks: booleans, shape (i, j, k), `brain` among them.
        voxel_ml: volume of a voxel.
        synthetic: whether it is a phantom's, whose head is larger than any; it is then held against nothing.
    """
    brain, volume_ml = masks["brain"], np.count_nonzero(masks["brain"]) * voxel_ml
    where = "within" if is_normal(volume_ml) else "OUTSIDE"
    range_ml = "{} to {} ml".format(*NORMAL_ML)
    said = f"{volume_ml:.0f} ml, {where} the normal range of adults ({range_ml}, from brain alone to all in the skull)"
    said = f"{volume_ml:.0f} ml, a phantom's" if synthetic else said
    sides = [(axis, n, name) for axis, names in enumerate(EDGES) for n, name in zip((0, -1), names, strict=True)]
    ends = [name for axis, n, name in sides if brain.take(n, axis).any()]
    more = [f"the mask reaches the image's edge: {', '.join(ends)}"] if ends else []
    if "lesion" in masks:
        more.insert(0, f"lesion {np.count_nonzero(masks['lesion']) * voxel_ml:.1f} ml")
    return [said, *(["; ".join(more)] if more else [])]


def brain_slices(brain: np.ndarray) -> tuple[int, int, int, int]:
    """The slices shown: axial near the vertex and at the skull base, mid-coronal and mid-sagittal.

    Args:
        brain: booleans, shape (i, j, k), not all false.
    """
    areas = brain.sum(axis=(0, 1))
    large = np.flatnonzero(areas >= LEAST_AREA * areas.max())
    i, j, _ = (round(float(places.mean())) for places in np.nonzero(brain))
    return int(large[-1]), int(large[0]), j, i


def draw_brain_row(axes, view: View, top: float, colour: str, synthetic: bool = False) -> None:
    """The row: heading, names of the slices, four pictures of the head under the outlines of the masks.

    Args:
        axes: of the sheet, in inches.
        view: as `brain_view` gives it.
        top: of the heading.
        colour: of the heading where the volume is not normal.
        synthetic: whether it is a phantom's.
    """
    axes.text(0, top, "Brain", fontsize=NAME, fontweight="bold", va="top")
    brain_ml = np.count_nonzero(view.masks["brain"]) * view.reference.voxel_ml
    style = {} if synthetic or is_normal(brain_ml) else {"color": colour, "fontweight": "bold"}
    for line in describe_brain(view.masks, view.reference.voxel_ml, synthetic):
        axes.text(HEAD_AT, top, line, fontsize=TEXT, va="top", **style)
        top, style = top + LINE, {}
    for tile, at, place in zip(view.tiles(), brain_slices(view.masks["brain"]), PLACES, strict=True):
        plane, left, width = tile
        words = f"{plane.capitalize()}, {place}, {'ijk'[3 - sum(PLANES[plane])]} = {at}"
        axes.text(left + width / 2, top, words, fontsize=TEXT, ha="center", va="top")
        extent = draw_picture(axes, view, tile, top + LINE, view.greys(view.reference.array, plane, at))
        for name, mask in view.masks.items():
            draw_contour(axes, view.fine(mask, plane, at), 0.5, extent, name)
