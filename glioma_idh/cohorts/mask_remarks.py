"""What must be said of the images that a command has read: each odd mask, and in one line what many have."""

import sys
from typing import NamedTuple

import numpy as np

from glioma_idh.cohorts.column_names import MASK_NAMES
from glioma_idh.imaging.masks import THRESHOLDED, Mask, measure_lesion


class MaskRemarks(NamedTuple):
    """What must be said of the masks of one subject."""

    subject: str
    sentences: tuple[str, ...] = ()  # what looks wrong
    thresholded: tuple[str, ...] = ()  # the masks that are probabilities, in words
    fills_brain: bool = False  # whether the lesion fills more than half of it


def remarks_on(subject: str, lesion: Mask, brain: np.ndarray, brain_mask: Mask | None = None) -> MaskRemarks:
    """What must be said of a subject's lesion mask, which is not empty, in its brain, booleans of the same shape.

    `brain_mask` is what the brain was read from, if it was a mask. A mask that can be of no lesion is an InputError.
    """
    facts = measure_lesion(lesion.array, brain, lesion.voxel_ml)
    facts.require_lesion(lesion.file)
    masks = zip(MASK_NAMES.values(), (lesion, brain_mask), strict=True)
    thresholded = tuple(name for name, mask in masks if mask is not None and mask.remark)
    return MaskRemarks(str(subject), tuple(facts.remarks().values()), thresholded, facts.fills_brain)


def print_remarks(remarks: list[MaskRemarks], said: set[str] | None = None) -> None:
    """Say it on standard error: a line for each odd mask; what may hold for a whole cohort in one line, with the count.

    Subjects in `said` are left out, and the others added to it.
    """
    said = set() if said is None else said
    remarks = [of for of in remarks if of.subject not in said]
    said.update(of.subject for of in remarks)
    lines = [f"{of.subject}: {sentence}" for of in remarks for sentence in of.sentences]
    for name in MASK_NAMES.values():
        if subjects := [of.subject for of in remarks if name in of.thresholded]:
            shown = _first(subjects)
            lines.append(f"The {name} of {len(subjects)} of {len(remarks)} subjects holds {THRESHOLDED} ({shown}).")
    if full := sum(of.fills_brain for of in remarks):
        text = "the lesion fills more than half of the brain, as it does in crops around a lesion."
        lines.append(f"In {full} of {len(remarks)} subjects {text}")
    if lines:
        print("\n".join(lines), file=sys.stderr)


def print_turned(turned: dict[str, str], num_subjects: int) -> None:
    """Say on standard error, in one line for all, whose scans seem to have other axes than their headers say.

    `turned` tells by subject what shows it, as `imaging.axes.find_turned`, empty where nothing does.
    """
    _print_line("seem to have a scan with other axes than its header says", turned, num_subjects)


def print_other_brains(other_brains: dict[str, str], num_subjects: int) -> None:
    """As `print_turned`, whose scans seem to be of several patients, by `imaging.heuristics.find_other_brain`."""
    _print_line("have scans that cover different brains", other_brains, num_subjects)


def _print_line(what: str, found: dict[str, str], num_subjects: int) -> None:
    """How many subjects it holds for, the first of them, and the sentence of the first."""
    if subjects := [subject for subject, sentence in found.items() if sentence]:
        text = f"{len(subjects)} of {num_subjects} subjects {what} ({_first(subjects)})"
        print(f"{text}. {subjects[0]}: {found[subjects[0]]}", file=sys.stderr)


def _first(subjects: list[str]) -> str:
    return ", ".join(subjects[:3]) + (" ..." if len(subjects) > 3 else "")
