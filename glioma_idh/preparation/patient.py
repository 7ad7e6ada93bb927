"""One patient, from the series as acquired to six sequences and masks on one grid: the steps in their order."""

import importlib.metadata
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from glioma_idh import __version__
from glioma_idh.errors import InputError
from glioma_idh.imaging.dicom.convert import IGNORED_ENDINGS, Converted, convert_dicom
from glioma_idh.imaging.dicom.headers import LeftOut, files_below
from glioma_idh.preparation.alignment import Alignment, align
from glioma_idh.preparation.anatomy import check_contrast, find_brain, make_images
from glioma_idh.preparation.lesion import LesionFinder, find_lesion
from glioma_idh.preparation.maps import make_adc_image, make_rcbv_image, series_to_use
from glioma_idh.preparation.movement import hold_series_still
from glioma_idh.preparation.recognition import MANY_VOLUMES, describe
from glioma_idh.preparation.series import choose_series, find_series
from glioma_idh.preparation.settings import Settings
from glioma_idh.preparation.stages import Stages

PACKAGES = ("numpy", "scipy", "nibabel", "nilearn", "SimpleITK", "dcm2niix")


@dataclass(frozen=True)
class Prepared:
    """What became of a patient.

    Attributes:
        files: by column of the cohort table.
        errors: what could not be used or made, one error each.
        stages: what was gone through.
        alignment: where everything lies; None where nothing could be made.
    """

    files: dict[str, Path]
    errors: list[InputError]
    stages: Stages
    alignment: Alignment | None


def prepare_patient(
    source: Path,
    folder: Path,
    settings: Settings,
    finder: LesionFinder | None = None,
    redo_from: str = "",
    tell: Callable[[str], None] = lambda line: None,
) -> Prepared:
    """Prepare one patient; nothing is made without a reference, a place for it, and its brain.

    Args:
        source: the patient's folder of DICOM or NIfTI files.
        folder: where the results go.
        settings: what is made, and how.
        finder: finds the lesion where no mask is given.
        redo_from: the first stage that is gone through again in any case.
        tell: called with a line for each stage.
    """
    stages, errors = Stages(folder, redo_from, tell), []
    stages.note["remarks"] = []
    try:
        files, alignment = _prepare(source, settings, finder, stages, errors)
    except InputError as error:
        files, alignment = {}, None
        errors.append(error)
    prepared = Prepared(files, errors, stages, alignment)
    write_note(prepared, source)
    return prepared


def _prepare(source: Path, settings: Settings, finder, stages: Stages, errors: list[InputError]) -> tuple:
    """The steps in their order: files by column, and where everything lies. Errors that stop nothing are collected.

    Raises:
        InputError: nothing can be made.
    """
    series, remarks = find_series(source, stages.folder / "native", _converter(stages))
    choices, unclear = choose_series(series, settings.wanted_series())
    errors += [remark for remark in remarks if isinstance(remark, InputError)] + unclear
    _note_series(stages, choices, settings, series, remarks)
    if settings.anchor not in choices:
        found = ", ".join(sorted(choices)) or "nothing that could be told"
        advice = f"Name it with --series {settings.anchor}=..., or another with --reference."
        if unclear and sum(path.is_dir() for path in source.iterdir()) > 1:
            advice += " If the folders in it are those of patients or visits, prepare it with --many."
        raise InputError(f"the reference sequence, {settings.anchor}", found, advice, file=source)
    choices, unread = hold_series_still(series_to_use(choices, settings), settings, stages)
    errors += unread
    alignment, left_out = align(choices, settings, stages)
    errors += left_out
    files, unmade = _make(alignment, settings, stages, finder)
    errors += unmade
    return files, alignment


def _make(alignment: Alignment, settings: Settings, stages: Stages, finder) -> tuple[dict, list[InputError]]:
    """Masks, images and maps: files by column, and an error for each that cannot be made."""
    masks = {"brain_mask": find_brain(alignment, settings, stages)}
    files, errors = make_images(alignment, settings, stages, masks["brain_mask"])
    same, remarks = check_contrast(files, masks["brain_mask"], stages)
    stages.note["remarks"] += remarks
    errors += same
    steps = {
        "adc": lambda: make_adc_image(alignment, settings, stages, masks["brain_mask"]),
        "lesion_mask": lambda: find_lesion(files, alignment, settings, stages, finder, masks["brain_mask"]),
        "rcbv": lambda: make_rcbv_image(alignment, settings, stages, masks),
    }
    for column, step in steps.items():
        try:
            (masks if column == "lesion_mask" else files)[column] = step()
        except InputError as error:
            errors.append(error)
    return {column: path for column, path in (files | masks).items() if path is not None}, errors


def _converter(stages: Stages):
    """What converts DICOM series once and remembers how."""

    def convert(source: Path, native: Path) -> tuple[list[Converted], list[LeftOut | InputError]]:
        """What `convert_dicom` gives, or gave when the files were the same."""

        def work():
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

    return convert


def _note_series(stages: Stages, choices: dict, settings: Settings, series: list, remarks: list) -> None:
    """What was found and which series became what, into the patient's note."""
    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    stages.note |= {"made_with": {"glioma_idh": __version__} | versions, "settings": _shareable(asdict(settings))}
    stages.note["series"] = {
        role: {"series": choice.series.number, "reason": choice.reason} for role, choice in choices.items()
    }
    taken = {file for choice in choices.values() for file in choice.files}
    others = [found for found in series if not taken & set(found.files)]
    unused = [[f"series {found.number}", describe(found)] for found in others]
    stages.note["remarks"] = [
        f"Series {found.number} ({describe(found)}) may be perfusion or functional MRI: --series dsc={found.number}."
        for found in others
        if found.num_volumes >= MANY_VOLUMES and "dsc" not in choices
    ]
    left_out = [[remark.what, remark.reason] for remark in remarks if isinstance(remark, LeftOut)]
    stages.note["not_used"] = [dict(zip(("what", "why"), texts, strict=True)) for texts in [*left_out, *unused]]


def _shareable(settings: dict) -> dict:
    """Settings, paths as the names of their files: folders may be named after people."""
    named = {name: value.name if isinstance(value, Path) else value for name, value in settings.items()}
    return named | {"reference": Path(settings["reference"]).name}


def write_note(prepared: Prepared, source: Path) -> None:
    """Write the patient's `prepare.json`: what was found, what became of it, and what went wrong."""
    stages, alignment = prepared.stages, prepared.alignment
    if alignment is not None:
        stages.note["ways"] = {role: way.tolist() for role, way in alignment.ways.items()}
        stages.note["grid"] = {"shape": list(alignment.grid.array.shape), "affine": alignment.grid.affine.tolist()}
    stages.note["files"] = {column: path.name for column, path in prepared.files.items()}
    stages.note["problems"] = [shareable_error(error, source, stages.folder) for error in prepared.errors]
    stages.save(stages.former | stages.note["stages"])


def shareable_error(error: InputError, source: Path, folder: Path) -> dict:
    """An error as a note may keep it: without the folders that a person's files lie in."""
    words = {name: getattr(error, name) for name in ("file", "expected", "found", "advice")}
    near = [Path(folder), Path(source), Path(error.file).parent, Path(source, error.file).parent]
    places = {place for path in near for form in (path, path.resolve()) for place in (form, *form.parents)}
    for place in sorted(map(str, places), key=len, reverse=True):
        if len(Path(place).parts) > 1:
            words = {name: text.replace(f"{place}/", "").replace(place, "") for name, text in words.items()}
    return words | {"file": Path(words["file"]).name}
