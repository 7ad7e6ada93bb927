"""Prepare one patient: from the acquired series to six sequences and masks on one grid."""

import importlib.metadata
from dataclasses import asdict
from functools import partial
from pathlib import Path

from glioma_idh import __version__
from glioma_idh.errors import InputError
from glioma_idh.imaging.dicom.convert import IGNORED_ENDINGS, Converted, convert_dicom
from glioma_idh.imaging.dicom.headers import LeftOut, files_below
from glioma_idh.preparation.alignment import align
from glioma_idh.preparation.anatomy import check_contrast, find_brain, make_images
from glioma_idh.preparation.context import Patient
from glioma_idh.preparation.head_motion import correct_series_motion
from glioma_idh.preparation.maps import make_adc_image, make_rcbv_image, series_to_use
from glioma_idh.preparation.masks import find_lesion
from glioma_idh.preparation.recognition import MANY_VOLUMES, Series, describe
from glioma_idh.preparation.series import choose_series, find_series
from glioma_idh.preparation.stages import Stages

PACKAGES = ("numpy", "scipy", "nibabel", "nilearn", "SimpleITK", "dcm2niix")


def run_steps(patient: Patient, source: Path) -> None:
    """Run all steps of the preparation for one patient, whose series lie in the folder `source`.

    Errors are collected in `patient.errors`. Without a reference series, its position or a brain, nothing is made.
    """
    settings = patient.settings
    try:
        series, remarks = find_series(source, patient.folder / "native", partial(_convert_once, patient.stages))
        choices, unclear = choose_series(series, settings.wanted_series())
        patient.errors += [remark for remark in remarks if isinstance(remark, InputError)] + unclear
        _record_series(patient, choices, series, remarks)
        if settings.anchor not in choices:
            found = f"only {', '.join(sorted(choices))}" if choices else "no recognised series"
            advice = f"Choose it with --series {settings.anchor}=..., or another reference with --reference."
            if unclear and sum(path.is_dir() for path in source.iterdir()) > 1:
                advice += " If its subfolders belong to several patients or visits, use --many."
            raise InputError(f"a series for the reference sequence {settings.anchor}", found, advice, file=source)
        patient.alignment = align(correct_series_motion(series_to_use(choices, settings), patient), patient)
        if (brain := find_brain(patient)) is not None:
            patient.masks["brain_mask"] = brain
        patient.images = make_images(patient)
        check_contrast(patient)
        for column, step in (("adc", make_adc_image), ("lesion_mask", find_lesion), ("rcbv", make_rcbv_image)):
            if (path := patient.attempt(step, patient)) is not None:
                (patient.masks if column == "lesion_mask" else patient.images)[column] = path
    except InputError as error:
        patient.errors.append(error)
        patient.alignment, patient.images, patient.masks = None, {}, {}
    record, alignment = patient.stages.record, patient.alignment
    if alignment is not None:
        record.transforms = {role: matrix.tolist() for role, matrix in alignment.transforms.items()}
        record.grid = {"shape": list(alignment.grid.array.shape), "affine": alignment.grid.affine.tolist()}
    record.files = {column: path.name for column, path in patient.files.items()}
    record.problems = [shareable_error(error, source, patient.folder) for error in patient.errors]
    patient.stages.save()


def _convert_once(stages: Stages, source: Path, native: Path) -> tuple[list[Converted], list[LeftOut | InputError]]:
    """Run `convert_dicom`, or reuse its earlier results if the files are the same."""

    def work() -> dict:
        for file in native.glob("series_*"):
            file.unlink()
        converted, remarks = convert_dicom(source, native)
        left_out = [[remark.what, remark.reason] for remark in remarks if isinstance(remark, LeftOut)]
        wrong = [remark for remark in remarks if isinstance(remark, InputError)]
        errors = [[error.expected, error.found, error.advice, error.file] for error in wrong]
        named = [[image.number, image.file.name] for image in converted]
        return {"converted": named, "left_out": left_out, "errors": errors}

    files = [file for file in files_below(source) if not file.name.lower().endswith(IGNORED_ENDINGS)]
    states = [(str(file.relative_to(source)), file.stat()) for file in files]
    inputs = {"files": [(name, state.st_size, state.st_mtime_ns) for name, state in states]}
    found = stages.make("series", work, inputs, "native/series_*")
    remarks = [LeftOut(*texts) for texts in found["left_out"]] + [InputError(*texts) for texts in found["errors"]]
    return [Converted(number, native / name) for number, name in found["converted"]], remarks


def _record_series(
    patient: Patient, choices: dict[str, Series], series: list[Series], remarks: list[LeftOut | InputError]
) -> None:
    """Write settings, versions, chosen and unused series to the patient's record."""
    record, settings = patient.stages.record, asdict(patient.settings)
    record.made_with = {"glioma_idh": __version__} | {name: importlib.metadata.version(name) for name in PACKAGES}
    named = {name: value.name if isinstance(value, Path) else value for name, value in settings.items()}
    record.settings = named | {
        "reference": Path(settings["reference"]).name
    }  # names of folders may contain patients' names
    record.series = {role: {"series": one.number, "reason": one.reason} for role, one in choices.items()}
    taken = {file for choice in choices.values() for file in choice.files}
    others = [found for found in series if not taken & set(found.files)]
    record.remarks += [
        f"Series {found.number} ({describe(found)}) may be perfusion; if so, use --series dsc={found.number}."
        for found in others
        if found.num_volumes >= MANY_VOLUMES and "dsc" not in choices
    ]
    record.not_used = [{"what": one.what, "why": one.reason} for one in remarks if isinstance(one, LeftOut)]
    record.not_used += [{"what": f"series {found.number}", "why": describe(found)} for found in others]


def shareable_error(error: InputError, source: Path, folder: Path) -> dict[str, str]:
    """Return the texts of an error without the names of the patient's folders, for tables that may be shared."""
    words = {name: getattr(error, name) for name in ("file", "expected", "found", "advice")}
    near = [Path(folder), Path(source), Path(error.file).parent, Path(source, error.file).parent]
    places = {place for path in near for form in (path, path.resolve()) for place in (form, *form.parents)}
    for place in sorted(map(str, places), key=len, reverse=True):
        if len(Path(place).parts) > 1:
            words = {name: text.replace(f"{place}/", "").replace(place, "") for name, text in words.items()}
    return words | {"file": Path(words["file"]).name}
