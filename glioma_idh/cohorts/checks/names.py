"""What the names of a subject's files say against what they are given as."""

import re
import sys
from pathlib import Path

import pandas as pd

from glioma_idh.cohorts.column_names import MASK_NAMES, MASKS, SEQUENCE_NAMES
from glioma_idh.imaging.series_names import roles_named, words_of
from glioma_idh.imaging.series_vocabulary import UNKNOWN

NAMES = SEQUENCE_NAMES | {mask: f"the {name}" for mask, name in MASK_NAMES.items()}
OF_NAMES = "name"  # the words for a problem of a file's name


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
        print(f"{text}. {subject}: {sentence}", file=sys.stderr)


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
