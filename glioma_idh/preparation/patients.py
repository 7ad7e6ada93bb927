"""Find the patients' folders to prepare, and detect a folder of several patients that was given as one."""

import contextlib
import shlex
from collections import defaultdict
from pathlib import Path

from glioma_idh.errors import InputError
from glioma_idh.imaging.dicom.headers import first_headers, is_dicom_folder
from glioma_idh.imaging.series_names import roles_named, words_of
from glioma_idh.imaging.series_vocabulary import UNKNOWN
from glioma_idh.phantom.folder import default_folder
from glioma_idh.phantom.raw import make_raw_patient
from glioma_idh.phantom.recipe import PhantomRecipe
from glioma_idh.preparation.recognition import or_else, recognise
from glioma_idh.preparation.series import choose_series, find_series


def find_patients(source: Path | None, out: Path, many: bool) -> dict[str, Path]:
    """Return the patients' folders by name.

    Args:
        source: the folder of one patient, or with `many` a folder of such folders; None creates a synthetic patient.
        out: folder of the results, which is not a patient.
        many: whether each folder in `source` is a patient.

    Raises:
        InputError: there is no such folder, the folders are the series of one patient, or `out` lies in one of them.
    """
    if source is None:
        source = make_raw_patient(default_folder(PhantomRecipe()) / "raw")
        return {source.name: source}
    if not source.is_dir():
        found = "a file" if source.exists() else "no such folder"
        raise InputError("a patient's folder", found, "Give a folder of DICOM or NIfTI files.", file=source)
    source, out = source.resolve(), out.resolve()
    folders = [source]
    if many:
        folders = [path for path in sorted(source.iterdir()) if path.is_dir() and not path.name.startswith(".")]
        folders = [path for path in folders if path.resolve() != out]
        words = [words_of(folder.name) for folder in folders]
        if len(folders) > 1 and all(roles_named(each, described=False) and UNKNOWN not in each for each in words):
            found = f"folders named after sequences ({_listed([path.name for path in folders])}), as for one patient"
            raise InputError("one folder per patient", found, "Leave out --many.", file=source)
    if not folders:
        raise InputError("one folder per patient", "no folders", "Leave out --many if the folder is a patient.", source)
    if any(out.is_relative_to(path.resolve()) for path in folders):
        advice = "Choose another --out; otherwise results would be read as series of the patient."
        raise InputError("--out outside of the patients' folders", "a folder inside", advice, file=out)
    return {path.name: path for path in folders}


def check_one_patient(source: Path, out: Path, wanted: dict[str, str], anchor: str) -> None:
    """Raise InputError, which suggests `--many`, if a folder belongs to several patients.

    This is assumed for DICOM files of several patients or days, and for subfolders that each contain the same sequence
    if no series can be recognised as the reference. Both would stop the preparation later.

    Args:
        source: the patient's folder.
        out: folder of the results, for the command in the advice.
        wanted: series by role, as chosen by the user.
        anchor: role of the reference.
    """
    expected, headers = "a folder of one patient", first_headers(source)
    command = f"glioma-idh prepare {shlex.quote(str(source))} --many --out {shlex.quote(str(out))}."
    for tag, what in (("PatientID", "patient"), ("StudyDate", "day")):
        values = defaultdict(set)  # by folder
        for folder, header in headers.items():
            if header["Modality"] in ("MR", "") and header[tag]:
                below = folder.relative_to(source).parts
                values[below[0] if below else ""].add(header[tag])
        count = len(set().union(*values.values()))
        if count > 1:
            advice = "Sort them into one folder per patient or visit, and prepare the folder above with --many."
            if "" not in values and all(len(of_folder) == 1 for of_folder in values.values()):
                advice = f"If each folder is a patient or visit, use: {command}"
            raise InputError(expected, f"DICOM files of {count} {what}s ({tag})", advice, source)
    if headers:
        return
    series, folders = [], defaultdict(set)
    with contextlib.suppress(InputError):
        series, _ = find_series(source, source / "part-of-none", lambda *_: ([], []))
    if anchor in choose_series(series, wanted)[0] or is_dicom_folder(source):
        return
    for one in series:
        folder, below, _ = one.path.partition("/")
        roles = recognise(one).roles
        if below and len(roles) == 1:
            folders[next(iter(roles))].add(folder)
    role = max(folders, key=lambda role: (len(folders[role]), role == anchor), default=anchor)
    if len(folders[role]) > 1:
        found = f"{len(folders[role])} folders that each contain a {or_else([role])} ({_listed(sorted(folders[role]))})"
        advice = f"If each folder is a patient, use: {command} If not, choose one with --series {role}=..."
        raise InputError(expected, found, advice, source)


def _listed(names: list[str]) -> str:
    """Return the first three names."""
    return ", ".join(names[:3]) + (" ..." if len(names) > 3 else "")
