"""Whose folders there are to prepare."""

from pathlib import Path

from glioma_idh.errors import InputError
from glioma_idh.phantom.folder import default_folder
from glioma_idh.phantom.raw import make_raw_patient
from glioma_idh.phantom.recipe import PhantomRecipe
from glioma_idh.preparation.several_patients import check_many_patients


def find_patients(source: Path | None, out: Path, many: bool) -> dict[str, Path]:
    """The patients' folders by their names; without a source that of a synthetic patient, which is made.

    Args:
        source: a patient's folder, or with `many` the folder of patients' folders.
        out: where results go, which are no patients.
        many: whether there are many.

    Raises:
        InputError: there is none, they are one patient's series, or results would go into one.
    """
    if source is None:
        source = make_raw_patient(default_folder(PhantomRecipe()) / "raw")
        return {source.name: source}
    if not source.is_dir():
        found = "a file" if source.exists() else "no such folder"
        raise InputError("a patient's folder", found, "Name the folder of DICOM or NIfTI files.", file=source)
    source, out = source.resolve(), out.resolve()
    if not many:
        folders = [source]
    else:
        folders = [path for path in sorted(source.iterdir()) if path.is_dir() and not path.name.startswith(".")]
        folders = [path for path in folders if path.resolve() != out]
        check_many_patients(source, folders)
    if not folders:
        raise InputError("a folder a patient", "none", "Without --many the folder itself is the patient.", source)
    if any(out.is_relative_to(path.resolve()) for path in folders):
        advice = "Name another --out: results would be taken for series of the patient."
        raise InputError("an --out outside of the patients' folders", "one in them", advice, file=out)
    return {path.name: path for path in folders}
