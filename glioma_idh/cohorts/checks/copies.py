"""Find images that may belong to another subject: by the file name, or by voxels that two subjects share."""

import logging
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from glioma_idh.cohorts.checks.rows import Scan
from glioma_idh.cohorts.column_names import MASK_NAMES, MASKS, PATHS, SEQUENCE_NAMES
from glioma_idh.errors import InputError
from glioma_idh.imaging.series_names import roles_named, words_of
from glioma_idh.imaging.series_vocabulary import UNKNOWN

NAMES = SEQUENCE_NAMES | {mask: f"the {name}" for mask, name in MASK_NAMES.items()}
OF_NAMES = "name"  # the short form of a problem with a file name
STATUS = {1: "IDH-mutant", 0: "IDH-wild-type"}
logger = logging.getLogger(__name__)


def find_copies(images: list[dict]) -> Iterator[tuple[int, dict]]:
    """Find images with the same voxels as an image of an earlier subject.

    Two visits of a patient may share a brain mask, because they may lie on the same grid.

    Args:
        images: all images of a cohort in its order, with `subject, patient, image, path, voxel_hash`; images with a
            true `constant` are not compared.

    Yields:
        The index of the later image, and the first image with the same voxels.
    """
    first: dict[str, dict] = {}
    for index, image in enumerate(images):
        if not image.get("voxel_hash") or image.get("constant"):
            continue
        other = first.setdefault(image["voxel_hash"], image)
        may_share = other["patient"] == image["patient"] and image["image"] == "brain_mask"
        if other["subject"] != image["subject"] and not may_share:
            yield index, other


def report_copies(scans: list[Scan]) -> None:
    """Report each image of a cohort that has the same voxels as an image of an earlier subject."""
    for index, other in find_copies([scan.row for scan in scans]):
        row = scans[index].row
        sentence = f"{row['path']} has the same voxels as {_named(other)}. {_question(row, other)}"
        scans[index].report(f"same as {other['subject']}", sentence)


def hash_columns(hashes: list[dict[str, str]]) -> dict[str, list[str]]:
    """Return table columns with the `voxel_hash` or `mask_hash` of each subject's images."""
    return {f"{image}_voxel_hash": [of[image] for of in hashes] for image in (hashes[0] if hashes else ())}


def set_copies_aside(table: pd.DataFrame, *arrays: np.ndarray) -> tuple:
    """Exclude subjects with the scan or lesion mask of another subject.

    The first subject with the image is kept, unless the IDH labels of the two contradict each other: then both are
    excluded. Brain masks are not compared, because they may come from a template (`print_shared_images` reports them).

    Args:
        table: cohort table with the columns of `hash_columns`.
        arrays: arrays with one row per subject.

    Returns:
        The remaining rows, the remaining rows of each array, and a list with one error per excluded subject.
    """
    copies, contradictions = subjects_with_copies(_images(table))
    errors = []
    for subject, pairs in copies.items():
        row, other = pairs[0]
        more = f", and {len(pairs) - 1} more images like this" if len(pairs) > 1 else ""
        expected = f"{NAMES[row['image']]} that no other subject has"
        advice = f"{_question(row, other)} Correct the path of the wrong file, or keep only one of the two subjects."
        if subject not in contradictions:
            found = f"the same voxels as {_named(other)}{more}"
            errors.append(InputError(expected, found, advice, row["path"], subject))
    for subject, (row, other) in contradictions.items():
        found = f"{STATUS[row['idh']]}, but {STATUS[other['idh']]} for the same voxels, {_named(other)}"
        expected = f"one IDH status for one image, {NAMES[row['image']]}"
        advice = "Find out whose image it is and which label is right, and correct the table."
        errors.append(InputError(expected, found, advice, row["path"], subject))
    is_kept = ~table["subject"].isin([*copies, *contradictions]).to_numpy()
    return table[is_kept].reset_index(drop=True), *(array[is_kept] for array in arrays), errors


def subjects_with_copies(images: list[dict]) -> tuple[dict[str, list[tuple]], dict[str, tuple]]:
    """Find subjects that have the scan or lesion mask of an earlier subject, and those with contradictory labels.

    Args:
        images: as for `find_copies`, with the IDH status `idh`: 1, 0, or another value if it is unknown.

    Returns:
        By subject, pairs of its image and the earlier image with the same voxels; and by subject, earlier ones
        included, the first such pair in which one label is IDH-mutant and the other IDH-wild-type.
    """
    copies: dict[str, list[tuple]] = {}
    contradictions: dict[str, tuple] = {}
    for index, other in find_copies(images):
        image = images[index]
        if image["image"] == "brain_mask":
            continue
        copies.setdefault(image["subject"], []).append((image, other))
        if {image["idh"], other["idh"]} == {0, 1}:
            contradictions.setdefault(image["subject"], (image, other))
            contradictions.setdefault(other["subject"], (other, image))
    return copies, contradictions


def print_shared_images(table: pd.DataFrame) -> None:
    """Log how many brain masks other patients share, and how many subjects repeat a sequence."""
    images = _images(table)
    copies = [(images[index], other) for index, other in find_copies(images) if images[index]["image"] == "brain_mask"]
    if copies:
        row, other = copies[0]
        text = f"The brain masks of {len(copies)} of {len(table)} subjects have the same voxels as another patient's"
        logger.warning(f"{text} ({row['subject']}: {_named(other)}). Do they come from a template?")
    first: dict[tuple[str, str], dict] = {}
    repeated: dict[str, str] = {}
    for image in images:
        other = first.setdefault((image["subject"], image["voxel_hash"]), image)
        if other is not image and image["image"] in SEQUENCE_NAMES:
            repeated.setdefault(image["subject"], f"{_named(image)} has the same voxels as {_named(other)}")
    if repeated:
        sentence = next(iter(repeated.values()))
        text = f"{len(repeated)} of {len(table)} subjects have one image as two sequences"
        logger.warning(f"{text} (first: {sentence}). Check the paths.")


def images_in_both(own: pd.DataFrame, table: pd.DataFrame) -> dict[str, str]:
    """Find the scans or lesion masks of a table that another cohort, `own`, also has, by their voxels.

    Returns a sentence about the first such image of each subject, by subject.
    """
    first = {image["voxel_hash"]: image for image in reversed(_images(own))}
    found: dict[str, str] = {}
    for image in _images(table):
        other = first.get(image["voxel_hash"])
        if other and image["image"] != "brain_mask":
            found.setdefault(image["subject"], f"{_named(other)} is {_named(image)}")
    return found


def _images(table: pd.DataFrame) -> list[dict]:
    """Return the images of prepared subjects in the form that `find_copies` expects."""
    columns = [column for column in PATHS if f"{column}_voxel_hash" in table]
    images = []
    for row in table.to_dict("records"):
        for column in columns:
            image = {"image": column, "path": row[column], "voxel_hash": row[f"{column}_voxel_hash"]}
            if image["voxel_hash"]:
                images.append(image | {"subject": row["subject"], "patient": row["patient"], "idh": row.get("idh")})
    return images


def _named(image: dict) -> str:
    return f"{NAMES[image['image']]} of {image['subject']} ({image['path']})"


def _question(image: dict, other: dict) -> str:
    one_patient = image["patient"] == other["patient"]
    person = "If the two are one person, give them the same id in the column patient."
    return "Are these two visits of one patient?" if one_patient else f"Whose image is it? {person}"


def remarks_on_names(files: dict[str, Path]) -> list[tuple[str, str]]:
    """List contradictions between the file names of a subject and their columns, as (column, sentence)."""
    found = []
    for column, path in files.items():
        roles = roles_named(words_of(stem_of(path)), described=False)
        if roles is not None and column not in roles:
            named = " or ".join(NAMES.get(role, role.upper()) for role in sorted(roles)) or "another kind of image"
            found.append((column, f"{path.name} is given as {NAMES[column]}, but its name suggests {named}."))
    numbers = [(column, path, _numbers(path)) for column, path in files.items()]
    for number, (column, path, own) in enumerate(numbers):
        for _, other, theirs in numbers[:number]:
            if any(own[form].isdisjoint(theirs[form]) for form in own.keys() & theirs.keys()):
                found.append((column, f"{other} and {path} seem to belong to different patients or visits."))
                return found
    return found


def print_remarks_on_names(cohort: pd.DataFrame, sequences: Iterable[str]) -> None:
    """Log in one line how many subjects have file names that contradict their columns."""
    found = {}
    for row in cohort.to_dict("records"):
        if remarks := remarks_on_names({name: Path(row[name]) for name in (*sequences, *MASKS) if row[name]}):
            found[row["subject"]] = remarks[0][1]
    if found:
        subject, sentence = next(iter(found.items()))
        text = f"In {len(found)} of {len(cohort)} subjects, a file name contradicts the column of the file"
        logger.warning(f"{text}. {subject}: {sentence}")


def _numbers(path: Path) -> dict[str, set[str]]:
    """Collect the numbered parts of a file name (else of its folder's) by form, such as `sub#` or `training #`.

    Parts that name a sequence are left out.
    """
    for text in (stem_of(path), path.absolute().parent.name):
        before = ""
        found: dict[str, set[str]] = {}
        for part in re.findall("[^\\W_]+", text):
            names_image = words_of(part) and UNKNOWN not in words_of(part)
            form = re.sub(r"\d+", "#", part)
            if "#" in form and not names_image and not re.fullmatch(r"v?\d|[23][dD]", part):
                found.setdefault(f"{before} #" if form == "#" else form, set()).add(part)
            before = "*" if names_image else form.lower()  # the form of a number that follows
        if found:
            return found
    return {}


def stem_of(path: Path) -> str:
    """Return a file name without `.nii` or `.nii.gz`."""
    return path.name.removesuffix(".gz").removesuffix(".nii")
