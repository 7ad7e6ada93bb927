"""Whose an image is: by the name of its file, and by its voxels, where it stands under two subjects."""

import logging
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from glioma_idh.cohorts.checks.rows import Scan
from glioma_idh.cohorts.column_names import MASK_NAMES, MASKS, PATHS, SEQUENCE_NAMES
from glioma_idh.errors import InputError
from glioma_idh.imaging.series_names import roles_named, words_of
from glioma_idh.imaging.series_vocabulary import UNKNOWN

NAMES = SEQUENCE_NAMES | {mask: f"the {name}" for mask, name in MASK_NAMES.items()}
OF_NAMES = "name"  # the words for a problem of a file's name
logger = logging.getLogger(__name__)


def find_copies(images: list[dict]) -> Iterator[tuple[int, dict]]:
    """The place of each image that equals one of a subject before it voxel by voxel, and the first that it equals.

    `images` are of a whole cohort in its order, each with `subject, patient, image, path, voxel_hash`, and `constant`
    where it may be. Two visits of a patient may share a brain mask, as they do once they lie on one grid.
    """
    first = {}
    for index, image in enumerate(images):
        if not image.get("voxel_hash") or image.get("constant"):
            continue
        other = first.setdefault(image["voxel_hash"], image)
        may_share = other["patient"] == image["patient"] and image["image"] == "brain_mask"
        if other["subject"] != image["subject"] and not may_share:
            yield index, other


def report_copies(scans: list[Scan]) -> None:
    """Report each image of a whole cohort whose voxels an image of a subject before it has."""
    for index, other in find_copies([scan.row for scan in scans]):
        row = scans[index].row
        sentence = f"{row['path']} has the very voxels of {_named(other)}. {_question(row, other)}"
        scans[index].report(f"also of {other['subject']}", sentence)


def hash_columns(hashes: list[dict[str, str]]) -> dict[str, list[str]]:
    """Columns of a cohort table with the `voxel_hash` or `mask_hash` of the images that its subjects were made from."""
    return {f"{image}_voxel_hash": [of[image] for of in hashes] for image in (hashes[0] if hashes else ())}


def set_copies_aside(table: pd.DataFrame, *arrays: np.ndarray) -> tuple:
    """Keep the first of the subjects that have a scan or a lesion mask in common: whose it is cannot be told.

    `table` has the columns of `hash_columns`, each array a row a subject. Returns the rows and arrays that stay, and an
    error a subject set aside. A brain mask may be that of a template, for all: `print_shared_brains` tells it.
    """
    images, found = _images(table), {}
    for index, other in find_copies(images):
        if images[index]["image"] != "brain_mask":
            found.setdefault(images[index]["subject"], []).append((images[index], other))
    errors = []
    for subject, copies in found.items():
        row, other = copies[0]
        more = f", and {len(copies) - 1} more such images" if len(copies) > 1 else ""
        expected = f"{NAMES[row['image']]} that no other subject has"
        advice = f"{_question(row, other)} Name each one's own file, or keep one of the two."
        errors.append(InputError(expected, f"the very voxels of {_named(other)}{more}", advice, row["path"], subject))
    is_kept = ~table["subject"].isin(found).to_numpy()
    return table[is_kept].reset_index(drop=True), *(array[is_kept] for array in arrays), errors


def print_shared_brains(table: pd.DataFrame) -> None:
    """Say on standard error, in one line, how many brain masks are those of other patients."""
    images = _images(table)
    copies = [(images[index], other) for index, other in find_copies(images) if images[index]["image"] == "brain_mask"]
    if copies:
        row, other = copies[0]
        text = f"The brain masks of {len(copies)} of {len(table)} subjects have the very voxels of another patient's"
        logger.warning(f"{text} ({row['subject']}: {_named(other)}). Is it a template's?")


def images_in_both(own: pd.DataFrame, table: pd.DataFrame) -> dict[str, str]:
    """By subject of a table, which scan or lesion mask of another cohort, `own`, it has: the first, by its voxels."""
    first, found = {image["voxel_hash"]: image for image in reversed(_images(own))}, {}
    for image in _images(table):
        other = first.get(image["voxel_hash"])
        if other and image["image"] != "brain_mask":
            found.setdefault(image["subject"], f"{_named(other)} is {_named(image)}")
    return found


def _images(table: pd.DataFrame) -> list[dict]:
    """The images of prepared subjects, as `find_copies` takes them."""
    columns = [column for column in PATHS if f"{column}_voxel_hash" in table]
    images = []
    for row in table.to_dict("records"):
        for column in columns:
            image = {"image": column, "path": row[column], "voxel_hash": row[f"{column}_voxel_hash"]}
            if image["voxel_hash"]:
                images.append(image | {"subject": row["subject"], "patient": row["patient"]})
    return images


def _named(image: dict) -> str:
    return f"{NAMES[image['image']]} of {image['subject']} ({image['path']})"


def _question(image: dict, other: dict) -> str:
    one_patient = image["patient"] == other["patient"]
    return "Are these two visits?" if one_patient else "Whose is it? One person needs one id in patient."


def remarks_on_names(files: dict[str, Path]) -> list[tuple[str, str]]:
    """What the names of a subject's files say against their columns: each time the column, and a sentence."""
    found = []
    for column, path in files.items():
        roles = roles_named(words_of(stem_of(path)), described=False)
        if roles is not None and column not in roles:
            named = " or ".join(NAMES.get(role, role.upper()) for role in sorted(roles)) or "another kind of image"
            found.append((column, f"{path.name} is given as {NAMES[column]}; by its name it is {named}."))
    numbers = [(column, path, _numbers(path)) for column, path in files.items()]
    for number, (column, path, own) in enumerate(numbers):
        for _, other, theirs in numbers[:number]:
            if any(own[form].isdisjoint(theirs[form]) for form in own.keys() & theirs.keys()):
                found.append((column, f"{other} and {path} seem to be of different patients or visits."))
                return found
    return found


def print_remarks_on_names(cohort: pd.DataFrame, sequences) -> None:
    """Say on standard error, in one line for all, whose `sequences` or masks have names that say something else."""
    found = {}
    for row in cohort.to_dict("records"):
        if remarks := remarks_on_names({name: Path(row[name]) for name in (*sequences, *MASKS) if row[name]}):
            found[row["subject"]] = remarks[0][1]
    if found:
        subject, sentence = next(iter(found.items()))
        text = f"In {len(found)} of {len(cohort)} subjects a file's name says something else than what it is given as"
        logger.warning(f"{text}. {subject}: {sentence}")


def _numbers(path: Path) -> dict[str, set[str]]:
    """The parts of a name, or its folder's, that hold a number and name no sequence, by form: `sub#`, `training #`."""
    for text in (stem_of(path), path.absolute().parent.name):
        found, before = {}, ""
        for part in re.findall("[^\\W_]+", text):
            names_image = words_of(part) and UNKNOWN not in words_of(part)
            form = re.sub(r"\d+", "#", part)
            if "#" in form and not names_image and not re.fullmatch(r"v?\d|[23][dD]", part):
                found.setdefault(f"{before} #" if form == "#" else form, set()).add(part)
            before = "*" if names_image else form.lower()  # of a bare number
        if found:
            return found
    return {}


def stem_of(path: Path) -> str:
    """A file's name without `.nii` or `.nii.gz`."""
    return path.name.removesuffix(".gz").removesuffix(".nii")
