"""From a patient's folder to the series in it, and which of them is which sequence."""

import re
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path

from glioma_idh.cohorts.folders import nifti_files
from glioma_idh.errors import InputError
from glioma_idh.imaging.acquisition import read_acquisition, read_sidecar
from glioma_idh.imaging.dicom.convert import convert_dicom
from glioma_idh.imaging.dicom.headers import LeftOut
from glioma_idh.imaging.dicom.slices import MANY_VOLUMES
from glioma_idh.imaging.series_names import B_VALUE, roles_named, words_of
from glioma_idh.imaging.volumes import read_header_timing
from glioma_idh.preparation.recognition import (
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


def find_series(patient_dir, work_dir, convert=convert_dicom) -> tuple[list[Series], list[LeftOut | InputError]]:
    """Find all series below a patient's folder: NIfTI files where they lie, DICOM files converted into `work_dir`.

    `convert` is what converts them, or remembers how it did; `work_dir` may lie in the patient's folder. Returns the
    series, and what was not used: `LeftOut` where nothing is wrong with it, else an `InputError`. Raises one where no
    series can be used, or the DICOM files are those of several patients or days.
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
        reasons = "; ".join(str(remark).rstrip(".") for remark in remarks) or "no DICOM and no NIfTI file"
        raise InputError("series of MR images", reasons, "Check the folder.", file=patient_dir)
    times = Counter(one.number for one in found)  # files of one name, in several folders, go by their paths
    found = [replace(one, number=one.path) if one.path and times[one.number] > 1 else one for one in found]
    echoes = defaultdict(list)  # those of one DICOM series over time belong together
    for one in found:
        several = None if one.path else re.fullmatch(r"(\d+[a-z]?)_e\d+", one.number)
        echoes[several[1] if several and one.num_volumes >= MANY_VOLUMES else one.number].append(one)
    return [merge(parts, number) for number, parts in echoes.items()], remarks


def choose_series(series: list[Series], wanted: dict[str, str]) -> tuple[dict[str, Series], list[InputError]]:
    """Tell which series is which sequence. What is not clear is left open, with an error that says how to settle it.

    `wanted` has by role the number, name or path of its series, `12+13` for several of DWI or DSC that belong together;
    `none` leaves the role out. Returns the choice for each role that has one, and the errors.
    """
    choices, errors = {}, []
    for role, which in wanted.items():
        try:
            if which.lower() != "none":
                choices[role] = replace(_named(which, series, role), reason=f"named by --series {role}={which}")
        except InputError as error:
            errors.append(error)
    times = Counter(file for choice in choices.values() for file in choice.files)
    for role in [role for role, choice in choices.items() if max(times[file] for file in choice.files) > 1]:
        found = f"--series {role}={wanted[role]}, a series that is named twice"
        errors.append(InputError("a series of its own for each role", found, "Name another, or none."))
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
            expected, roles = f"{or_else(reading.claims)} as called", reading.claims
            if candidate.contrast is False and "t1gd" in reading.claims:
                expected, roles = "a contrast agent in the header of what is called a T1Gd", reading.claims | {"t1"}
            settled = [f"--series {role}={candidate.number}" for role in sorted(roles)]
            advice = f"Say what it is: {', '.join(settled)}, or --series {min(roles)}=none."
            found, file = f"{describe(candidate)}; but {reading.against}", f"series {candidate.number}"
            errors.append(InputError(expected, found, advice, file=file))
    return choices, errors


def _read_series(file: Path, number: str, path: str, subject: str) -> Series:
    """What is known of one file; `number` where it was converted from DICOM, else its `path`."""
    header, sidecar = read_header_timing(file), read_sidecar(file)
    if not 3 <= len(header.shape) <= 4:
        raise InputError("a volume, or a series of them", f"shape {header.shape}", "Leave it out.", file=file)
    stem = path.rpartition("/")[2]
    name = re.sub(f"^{re.escape(subject)}", "", stem, flags=re.IGNORECASE)
    contrast = True if "ContrastBolusIngredient" in sidecar else sidecar.get("ContrastBolus")
    codes = [sidecar.get(key) or "" for key in ("MRAcquisitionType", "ScanningSequence", "ImageType")]
    codes = [code if isinstance(code, list) else str(code).split("\\") for code in codes]  # as a sidecar may write them
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
    if not is_diffusion(series) and by_words != {"dwi"}:  # b-values that say nothing, as 0 alone
        return replace(series, acquisitions=(replace(first, b_values=(), b_vectors=None),))
    b_values = tuple(float(word[1:]) for word in dict.fromkeys(series.words) if re.fullmatch(B_VALUE, word))
    if series.b_values or series.num_volumes > 1 or len(b_values) != 1 or by_words != {"dwi"}:
        return series
    return replace(series, acquisitions=(replace(first, b_values=b_values),))  # a single volume called b500 has it


def _choose(role: str, readings: list) -> dict[str, Series]:
    """The choice for a role, if there is one; several series that could have it are an error."""
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
    advice = "Say which: " + ", ".join(f"--series {role}={which}" for which in (*names, "none")) + "."
    unsaid = all(len(one.files) == 1 and one.acquisitions[0].echo_time_s is None for one in candidates)
    alike = len({(one.shape, one.num_volumes) for one in candidates}) == 1
    if role == "dsc" and len(candidates) == 2 and alike and unsaid:
        advice += f" Echoes of one series are --series dsc={'+'.join(names)}, in their order, with --echo-times-s."
    raise InputError(f"one series that is clearly {role}", listed + kinds, advice)


def _named(which: str, series: list[Series], role: str) -> Series:
    """The one series that the user names by number, path or name, or for DWI and DSC several put together."""
    parts = []
    for name in which.split("+") if role in ("dwi", "dsc") else [which]:
        name = ENDING.sub("", name.strip()).lower()
        fits = []
        for one in series:
            names = {one.number, one.path, one.path.rpartition("/")[2], one.number.zfill(3)} - {""}
            fits += [one] if name in {called.lower() for called in names} else []
        if len(fits) != 1:
            there = ", ".join(one.number for one in series)
            found = f"--series {role}={which}, which names {'several' if fits else 'none'}"
            advice = "Name it by its number, name or path; those of a dwi or dsc alone are put together with +."
            raise InputError(f"one of the series {there}", found, advice)
        parts.append(fits[0])
    return merge(parts, "+".join(part.number for part in parts))
