"""Whether what is given as one patient's folder is that of several, so that `--many` is said before any work."""

import contextlib
import shlex
from collections import defaultdict
from pathlib import Path

from glioma_idh.errors import InputError
from glioma_idh.imaging.dicom.headers import Header, first_headers, is_dicom_folder
from glioma_idh.imaging.series_names import roles_named, words_of
from glioma_idh.imaging.series_vocabulary import UNKNOWN
from glioma_idh.preparation.recognition import LABELS, recognise
from glioma_idh.preparation.series import choose_series, find_series

SHOWN = 3


def check_one_patient(source: Path, out: Path, wanted: dict[str, str], anchor: str) -> None:
    """A patient's folder must not be one of several patients.

    Only what would stop the patient in any case is an error here: DICOM files of several patients or days, and sub-
    folders that each hold the same sequence where no series can be told to be the reference.

    Args:
        source: the folder.
        out: where results go, for the command in the advice.
        wanted: the series that the user names, by role.
        anchor: the role that must be there.

    Raises:
        InputError: it says how many patients there are, and what to type.
    """
    headers = first_headers(source)
    for tag, what in (("PatientID", "patient"), ("StudyDate", "day")):
        _check_tag(tag, what, headers, source, out)
    if headers:
        return
    found = _folders_of_one_sequence(source, wanted, anchor)
    if found is not None:
        role, folders = found
        name = LABELS.get(role, role.replace("_", " "))
        advice = f"If each is a patient: {command(source, out)} If they are one's, name its series: --series {role}=..."
        raise _error(f"{len(folders)} folders that each hold a {name} ({_listed(folders)})", advice, source)


def check_many_patients(source: Path, folders: list[Path]) -> None:
    """With `--many`, the folders in a folder must be those of patients, not of one patient's series.

    Raises:
        InputError: each is called like a sequence.
    """
    words = [words_of(folder.name) for folder in folders]
    if len(folders) > 1 and all(roles_named(each, described=False) and UNKNOWN not in each for each in words):
        found = f"folders named after sequences ({_listed([folder.name for folder in folders])}), as of one patient"
        raise InputError("a folder a patient", found, "Leave out --many.", file=source)


def command(source: Path, out: Path) -> str:
    """What to type to prepare every folder in a folder, with a full stop."""
    return f"python -m glioma_idh.prepare {shlex.quote(str(source))} --many --out {shlex.quote(str(out))}."


def _check_tag(tag: str, what: str, headers: dict[Path, Header], source: Path, out: Path) -> None:
    """All DICOM files looked at must have the same patient, or day.

    Raises:
        InputError: they have not.
    """
    values = defaultdict(set)
    for folder, header in headers.items():
        if header["Modality"] in ("MR", "") and header[tag]:
            below = folder.relative_to(source).parts
            values[below[0] if below else ""].add(header[tag])
    count = len(set().union(*values.values()))
    if count < 2:
        return
    if "" not in values and all(len(of_folder) == 1 for of_folder in values.values()):
        advice = f"A folder a patient or visit is prepared with: {command(source, out)}"
    else:
        advice = "Sort them into a folder a patient or visit, all in one folder, and prepare that with --many."
    raise _error(f"DICOM files of {count} {what}s ({tag})", advice, source)


def _folders_of_one_sequence(source: Path, wanted: dict[str, str], anchor: str) -> tuple[str, list[str]] | None:
    """A sequence and the sub-folders that each hold it, where the reference cannot be told; None where it can."""
    series = []
    with contextlib.suppress(InputError):
        series, _ = find_series(source, source / "part-of-none", lambda *_: ([], []))
    if anchor in choose_series(series, wanted)[0] or is_dicom_folder(source):
        return None
    folders = defaultdict(set)
    for found in series:
        folder, below, _ = found.path.partition("/")
        roles = recognise(found).roles
        if below and len(roles) == 1:
            folders[next(iter(roles))].add(folder)
    role = max(folders, key=lambda role: (len(folders[role]), role == anchor), default=anchor)
    return (role, sorted(folders[role])) if len(folders[role]) > 1 else None


def _error(found: str, advice: str, source: Path) -> InputError:
    return InputError("a folder of one patient", found, advice, file=source)


def _listed(names: list[str]) -> str:
    """The first few names."""
    return ", ".join(names[:SHOWN]) + (" ..." if len(names) > SHOWN else "")
