"""Whose folders there are to prepare, and whether what is given as one patient's folder is that of several."""

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
    """The patients' folders by their names: `source`, or with `many` the folders in it but `out`, where results go.

    Without a source it is that of a synthetic patient, which is made. An InputError where there is none, they are one
    patient's series, or results would go into one.
    """
    if source is None:
        source = make_raw_patient(default_folder(PhantomRecipe()) / "raw")
        return {source.name: source}
    if not source.is_dir():
        found = "a file" if source.exists() else "no such folder"
        raise InputError("a patient's folder", found, "Name the folder of DICOM or NIfTI files.", file=source)
    source, out = source.resolve(), out.resolve()
    folders = [source]
    if many:
        folders = [path for path in sorted(source.iterdir()) if path.is_dir() and not path.name.startswith(".")]
        folders = [path for path in folders if path.resolve() != out]
        words = [words_of(folder.name) for folder in folders]
        if len(folders) > 1 and all(roles_named(each, described=False) and UNKNOWN not in each for each in words):
            found = f"folders named after sequences ({_listed([path.name for path in folders])}), as of one patient"
            raise InputError("a folder a patient", found, "Leave out --many.", file=source)
    if not folders:
        raise InputError("a folder a patient", "none", "Without --many the folder itself is the patient.", source)
    if any(out.is_relative_to(path.resolve()) for path in folders):
        advice = "Name another --out: results would be taken for series of the patient."
        raise InputError("an --out outside of the patients' folders", "one in them", advice, file=out)
    return {path.name: path for path in folders}


def check_one_patient(source: Path, out: Path, wanted: dict[str, str], anchor: str) -> None:
    """A patient's folder must not be one of several patients; `--many` is then said before any work.

    Only what would stop the patient in any case is an error here: DICOM files of several patients or days, and sub-
    folders that each hold the same sequence where no series can be told to be the reference (role `anchor`, or `wanted`
    by the user). `out` is for the command in the advice.
    """
    expected, headers = "a folder of one patient", first_headers(source)
    command = f"python -m glioma_idh.prepare {shlex.quote(str(source))} --many --out {shlex.quote(str(out))}."
    for tag, what in (("PatientID", "patient"), ("StudyDate", "day")):
        values = defaultdict(set)  # by folder
        for folder, header in headers.items():
            if header["Modality"] in ("MR", "") and header[tag]:
                below = folder.relative_to(source).parts
                values[below[0] if below else ""].add(header[tag])
        count = len(set().union(*values.values()))
        if count > 1:
            advice = "Sort them into a folder a patient or visit, all in one folder, and prepare that with --many."
            if "" not in values and all(len(of_folder) == 1 for of_folder in values.values()):
                advice = f"A folder a patient or visit is prepared with: {command}"
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
        found = f"{len(folders[role])} folders that each hold a {or_else([role])} ({_listed(sorted(folders[role]))})"
        advice = f"If each is a patient: {command} If they are one's, name its series: --series {role}=..."
        raise InputError(expected, found, advice, source)


def _listed(names: list[str]) -> str:
    return ", ".join(names[:3]) + (" ..." if len(names) > 3 else "")
