"""Find the series in a patient's folder, and choose the series of each role."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from glioma_idh.cohorts.folders import nifti_files
from glioma_idh.errors import InputError
from glioma_idh.imaging.acquisition import read_acquisition, read_sidecar
from glioma_idh.imaging.dicom.convert import Converted, convert_dicom
from glioma_idh.imaging.dicom.headers import LeftOut
from glioma_idh.imaging.dicom.slices import MANY_VOLUMES
from glioma_idh.imaging.series_names import B_VALUE, roles_named, words_of
from glioma_idh.imaging.volumes import read_header_timing
from glioma_idh.preparation.recognition import (
    Reading,
    Series,
    describe,
    is_diffusion,
    merge,
    or_else,
    prefer,
    put_together,
    recognise,
    roles_by_words,
)
from glioma_idh.preparation.settings import ROLES

ENDING = re.compile(r"\.nii(\.gz)?$", re.IGNORECASE)


def find_series(
    patient_dir: str | Path,
    work_dir: str | Path,
    convert: Callable[[Path, Path], tuple[list[Converted], list[LeftOut | InputError]]] = convert_dicom,
) -> tuple[list[Series], list[LeftOut | InputError]]:
    """Find all series in a patient's folder and its subfolders: NIfTI files, and DICOM files after conversion.

    Args:
        patient_dir: the folder.
        work_dir: folder of the converted files; it may lie in `patient_dir`.
        convert: converts DICOM files, or returns the result of an earlier conversion.

    Returns:
        The series, and what was not used: `LeftOut` if it is not needed, `InputError` if it is defective.

    Raises:
        InputError: no series can be used, or the DICOM files belong to several patients or days.
    """
    patient_dir, work_dir = Path(patient_dir), Path(work_dir)
    converted, remarks = convert(patient_dir, work_dir)
    named = [("", image.number, image.file) for image in converted]
    own = [file for file in nifti_files(patient_dir) if not file.resolve().is_relative_to(work_dir.resolve())]
    by_path = {ENDING.sub("", file.relative_to(patient_dir).as_posix()): file for file in own}  # .nii or .nii.gz
    named += [(path, "", file) for path, file in by_path.items()]
    found = []
    for path, number, file in named:
        try:
            found.append(_read_series(file, number, path, patient_dir.name))
        except InputError as error:
            where = f"series {number}" if number else path
            remarks.append(InputError(error.expected, error.found, error.advice, file=where))
    if not found:
        reasons = "; ".join(str(remark).rstrip(".") for remark in remarks) or "no DICOM or NIfTI files"
        raise InputError("MR series", reasons, "Check the folder.", file=patient_dir)
    times = Counter(one.number for one in found)  # files with the same name are identified by their paths
    found = [replace(one, number=one.path) if one.path and times[one.number] > 1 else one for one in found]
    echoes = defaultdict(list)  # the echoes of a dynamic DICOM series belong together
    for one in found:
        several = None if one.path else re.fullmatch(r"(\d+[a-z]?)_e\d+", one.number)
        echoes[several[1] if several and one.num_volumes >= MANY_VOLUMES else one.number].append(one)
    return [merge(parts, number) for number, parts in echoes.items()], remarks


def choose_series(series: list[Series], wanted: dict[str, str]) -> tuple[dict[str, Series], list[InputError]]:
    """Choose the series of each role. An ambiguous choice is an error that names the options.

    Args:
        series: all series of the patient.
        wanted: by role, the number, name or path of the series that the user chose; `12+13` combines several of DWI or
            DSC, `none` leaves the role out.

    Returns:
        The series by role, and the errors.
    """
    choices, errors = {}, []
    for role, which in wanted.items():
        try:
            if which.lower() != "none":
                choices[role] = replace(_named(which, series, role), reason=f"chosen by --series {role}={which}")
        except InputError as error:
            errors.append(error)
    times = Counter(file for choice in choices.values() for file in choice.files)
    for role in [role for role, choice in choices.items() if max(times[file] for file in choice.files) > 1]:
        found = f"--series {role}={wanted[role]}, which also has another role"
        errors.append(InputError("a different series for each role", found, "Choose another series, or none."))
        del choices[role]
    taken = {file for choice in choices.values() for file in choice.files}
    readings = [(candidate, recognise(candidate)) for candidate in series if not taken & set(candidate.files)]
    for role in ROLES:
        if role not in wanted:
            try:
                choices |= _choose(role, readings)
            except InputError as error:
                errors.append(error)
    for candidate, reading in readings:
        if reading.claims and not reading.claims & (choices.keys() | wanted.keys()):
            expected, roles = f"{or_else(reading.claims)}, as its name or header says", reading.claims
            if candidate.contrast is False and "t1gd" in reading.claims:
                expected, roles = "a contrast agent in the header of a series called T1Gd", reading.claims | {"t1"}
            settled = [f"--series {role}={candidate.number}" for role in sorted(roles)]
            advice = f"State its role: {', '.join(settled)}, or --series {min(roles)}=none."
            found, file = f"{describe(candidate)}; but {reading.against}", f"series {candidate.number}"
            errors.append(InputError(expected, found, advice, file=file))
    return choices, errors


def _read_series(file: Path, number: str, path: str, subject: str) -> Series:
    """Read the properties of one file; it has a series `number` if converted from DICOM, else a `path`."""
    header, sidecar = read_header_timing(file), read_sidecar(file)
    if not 3 <= len(header.shape) <= 4:
        raise InputError("a 3D volume or a 4D series", f"shape {header.shape}", "Leave it out.", file=file)
    stem = path.rpartition("/")[2]
    name = re.sub(f"^{re.escape(subject)}", "", stem, flags=re.IGNORECASE)
    contrast = True if "ContrastBolusIngredient" in sidecar else sidecar.get("ContrastBolus")
    codes = [sidecar.get(key) or "" for key in ("MRAcquisitionType", "ScanningSequence", "ImageType")]
    codes = [
        code if isinstance(code, list) else str(code).split("\\") for code in codes
    ]  # a sidecar may contain either form
    series = Series(
        number=number or stem,
        files=(file,),
        acquisitions=(read_acquisition(file),),
        num_volumes=(*header.shape, 1)[3],
        spacing_mm=header.spacing_mm,
        words=words_of(name),
        contrast=contrast if isinstance(contrast, bool) else None,
        codes=frozenset(str(code) for each in codes for code in each),
        path=path,
        shape=header.shape[:3],
    )
    words = tuple(sidecar.get("Words") or ()) or words_of(str(sidecar.get("SeriesDescription", "")))
    protocol = tuple(sidecar.get("ProtocolWords") or ())
    by_protocol = bool(protocol) and roles_named(words, described=True) is None
    words += protocol if by_protocol else ()
    if number or (words and roles_by_words(series) is None):
        series = replace(series, words=series.words + words, described=True, by_protocol=by_protocol)
    (first,), by_words = series.acquisitions, roles_by_words(series)
    if not is_diffusion(series) and by_words != {"dwi"}:  # b-values without meaning, such as a single 0
        return replace(series, acquisitions=(replace(first, b_values=(), b_vectors=None),))
    b_values = tuple(float(word[1:]) for word in dict.fromkeys(series.words) if re.fullmatch(B_VALUE, word))
    if series.b_values or series.num_volumes > 1 or len(b_values) != 1 or by_words != {"dwi"}:
        return series
    return replace(
        series, acquisitions=(replace(first, b_values=b_values),)
    )  # a single volume named b500 has this b-value


def _choose(role: str, readings: list[tuple[Series, Reading]]) -> dict[str, Series]:
    """Choose the series of a role, if there is one; several candidates are an InputError."""
    clear = [candidate for candidate, reading in readings if reading.roles == {role}]
    open_ = [candidate for candidate, reading in readings if role in reading.roles]
    candidates, reason = prefer(role, put_together(role, clear or open_))
    if not candidates:
        return {}
    if len(candidates) == 1 and clear:
        reason = f"{describe(candidates[0])}: {or_else([role])}{reason}"
        return {role: replace(candidates[0], reason=reason)}
    listed = "; ".join(f"series {candidate.number} ({describe(candidate)})" for candidate in candidates)
    roles = next(reading.roles for other, reading in readings if set(other.files) & set(candidates[0].files))
    kinds = "" if clear else f", which could be {or_else(roles)}"
    names = [found.number for found in candidates]
    advice = "Choose one: " + ", ".join(f"--series {role}={which}" for which in (*names, "none")) + "."
    unsaid = all(len(one.files) == 1 and one.acquisitions[0].echo_time_s is None for one in candidates)
    alike = len({(one.shape, one.num_volumes) for one in candidates}) == 1
    if role == "dsc" and len(candidates) == 2 and alike and unsaid:
        advice += f" For two echoes of one series: --series dsc={'+'.join(names)} in their order, and --echo-times-s."
    raise InputError(f"exactly one series for {or_else([role])}", listed + kinds, advice)


def _named(which: str, series: list[Series], role: str) -> Series:
    """Return the series that the user named by number, path or name; for DWI and DSC, several may be combined."""
    parts = []
    for name in which.split("+") if role in ("dwi", "dsc") else [which]:
        name = ENDING.sub("", name.strip()).lower()
        fits = []
        for one in series:
            names = {one.number, one.path, one.path.rpartition("/")[2], one.number.zfill(3)} - {""}
            fits += [one] if name in {called.lower() for called in names} else []
        if len(fits) != 1:
            there = ", ".join(one.number for one in series)
            found = f"--series {role}={which}, which matches {'several series' if fits else 'no series'}"
            advice = "Give its number, name or path; only series of dwi or dsc can be combined with +."
            raise InputError(f"one of the series {there}", found, advice)
        parts.append(fits[0])
    return merge(parts, "+".join(part.number for part in parts))
