"""Convert DICOM files to NIfTI with dcm2niix, keeping only header fields that do not identify the patient."""

import json
import os
import re
import shutil
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import dcm2niix

from glioma_idh.errors import InputError
from glioma_idh.files import write_text
from glioma_idh.imaging.acquisition import beside, read_acquisition, read_sidecar
from glioma_idh.imaging.dicom.headers import COPY_AGAIN, Header, LeftOut, names_patient, read_folder
from glioma_idh.imaging.dicom.series import LONE_SLICE, SCATTERED, broken_series, drop_copies, group_series, why_unused
from glioma_idh.imaging.dicom.slices import b_values_of, check_slices
from glioma_idh.imaging.series_names import words_of
from glioma_idh.imaging.volumes import read_header_timing, read_volume, return_to_grid, write_volume
from glioma_idh.parallel import parent_death_request

NUMBERS = (
    *("EchoTime", "RepetitionTime", "InversionTime", "FlipAngle", "MagneticFieldStrength", "SliceThickness"),
    *("SpacingBetweenSlices", "EchoNumber", "SeriesNumber"),
)
CODES = {
    "MRAcquisitionType": {"2D", "3D"},
    "ScanningSequence": {"SE", "IR", "GR", "EP", "RM"},
    "SequenceVariant": {"SK", "MTC", "SS", "TRSS", "SP", "MP", "OSP", "TOF", "NONE"},
    "ImageType": {
        *("ORIGINAL", "DERIVED", "PRIMARY", "SECONDARY", "M", "MAGNITUDE", "FFE", "SE", "IR", "ND", "NORM", "DIS2D"),
        *("DIS3D", "MOSAIC", "DIFFUSION", "ADC", "TRACEW", "TRACE", "ISOTROPIC", "PERFUSION", "REFORMATTED", "MPR"),
        *("AVERAGE", "NONE", "OTHER", "VOLUME", "RESAMPLED", "MOCO"),
    },
}  # keys of a sidecar that hold codes, and the codes that are kept
WORDS = {"Words": "SeriesDescription", "ProtocolWords": "ProtocolName"}
"""Keys of our sidecar that hold known words, and the tags that the words come from."""
MANUFACTURERS = {"siemens": "Siemens", "ge": "GE", "philips": "Philips", "canon": "Canon", "toshiba": "Canon"}
NOT_GIVEN = {"", "no", "none", "n", "0", "nein", "ohne", "non", "not given", "without"}
IGNORED_ENDINGS = (".nii", ".nii.gz", ".json", ".bval", ".bvec")
OPTIONS = ("-b", "y", "-ba", "y", "-z", "n", "-d", "0", "-g", "i", "-x", "i", "-p", "n", "-f", "s")
MADE_BY_DCM2NIIX = {"_ADC": ("adc",), "_TRACE": ("trace",), "_TRACEW": ("trace",)}
"""Endings of the file names of maps that dcm2niix separates from a diffusion series, and the words for them."""
UNSOUND, SAYS_WRONG = "interslice distance varies", "error|fail|file not|varies|unsupported"
"""A warning of dcm2niix after which its output is not used; and a pattern for its lines that describe a problem."""


@dataclass(frozen=True)
class Converted:
    """A NIfTI file converted from a DICOM series, with a JSON sidecar of the same name."""

    number: str  # of the series, such as `12`; `12_e2` for the second echo
    file: Path


def convert_dicom(folder: str | Path, out_dir: str | Path) -> tuple[list[Converted], list[LeftOut | InputError]]:
    """Convert all usable DICOM series in a folder and its subfolders to de-identified NIfTI files.

    Files are named after the numbers of the series, such as `series_012.nii` (uncompressed, as compression would take
    most of the time). The sidecar keeps numbers, codes of known meaning, whether contrast agent was given, and the
    words of the description that are in the vocabulary (`series_names.words_of`).

    Returns:
        The converted files, and what was not used: `LeftOut` if it is not needed, `InputError` if it is defective.

    Raises:
        InputError: the files belong to several patients or days.
    """
    headers, remarks = _read_headers(folder)
    converted, num_lost = [], 0
    for number, files in group_series(headers).items():
        name = f"series {number}"
        images = drop_copies(files)
        if len(images) < len(files):
            remarks.append(LeftOut(name, f"{len(files) - len(images)} files are copies of other files"))
        is_lone_slice = len(images) == 1 and not images[0].holds_volume
        if reason := why_unused(images[0]) or (LONE_SLICE if is_lone_slice else ""):
            num_lost += reason == LONE_SLICE and not images[0]["SeriesNumber"]
            remarks.append(LeftOut(name, reason))
            continue
        if (num_uids := len({header["SeriesInstanceUID"] for header in images})) > 1:
            remarks.append(
                LeftOut(f"{num_uids} series UIDs", f"different in each file; the files are combined as {name}")
            )
        try:
            stacks = check_slices(images)
            converted += _convert_series(images, stacks, number, Path(out_dir), remarks)
        except InputError as error:
            remarks.append(InputError(error.expected, error.found, error.advice, file=name))
    if num_lost >= SCATTERED:  # one error instead of one per slice
        found = f"{num_lost} images, each with a different series UID and without series number"
        advice = "The anonymiser removed them. Export again, keeping series numbers or one series UID per series."
        remarks = [remark for remark in remarks if getattr(remark, "reason", "") != LONE_SLICE]
        remarks.append(InputError("images that belong to series", found, advice))
    return converted, remarks


def _read_headers(folder: str | Path) -> tuple[list[Header], list[LeftOut | InputError]]:
    """Read the headers of the DICOM images in a folder; also return remarks on other and unreadable files."""
    headers, unreadable, others = read_folder(folder)
    broken = Counter(number for file in unreadable if (number := broken_series(file)))
    remarks = []
    for number, count in broken.items():
        same = [header for header in headers if header["SeriesNumber"] == number]
        if not same or not all(map(why_unused, same)):
            found = f"truncated or corrupt images ({count})"
            remarks.append(InputError("complete MR images", found, COPY_AGAIN, file=f"series {number}"))
    if no_images := len(unreadable) - broken.total():
        remarks.append(LeftOut(f"{no_images} DICOM files", "not images (reports, presentation states), or corrupt"))
    names = {}
    for file in others if headers else ():
        if not file.name.lower().endswith(IGNORED_ENDINGS):
            told = names_patient(file.stem, headers[0]) or re.search(
                r"\d{4}", file.stem
            )  # the patient's name, or a date
            names[f"a {file.suffix.lower()} file".replace("a  file", "a file") if told else file.name] = None
    remarks += [LeftOut(name, "not DICOM") for name in names]
    return headers, remarks


def _convert_series(
    images: list[Header],
    stacks: set[tuple[int, float]],
    number: str,
    out_dir: Path,
    remarks: list[LeftOut | InputError],
) -> list[Converted]:
    """Convert one series; phase images, which dcm2niix separates, are left out with a remark."""
    converted = []
    with TemporaryDirectory() as made:
        _run_dcm2niix(images, Path(made))
        for image in sorted(Path(made, "out").glob("*.nii")):
            part = re.fullmatch(r"s([a-z]?)((?:_e\d+)?)(?:_t\d+)?((?:_(?:ADC|TRACEW?))?)", image.stem)
            if not part:
                remarks.append(
                    LeftOut(f"series {number}", "contains images other than magnitude images, which are not used")
                )
                continue
            header = read_header_timing(image)
            count, distance_mm = header.shape[2], header.spacing_mm[2]
            if stacks and not any(count == n and abs(distance_mm - mm) <= 0.02 * mm for n, mm in stacks):
                advice = "Convert this series to NIfTI with another program, or leave it out."
                expected = " or ".join(f"{n} slices {mm:.3g} mm apart" for n, mm in sorted(stacks))
                # dcm2niix may be wrong for multi-frame files
                found = f"{count} slices {distance_mm:.3g} mm apart after dcm2niix"
                raise InputError(f"{expected}, as in the headers", found, advice)
            own = number + "".join(part.groups()).lower()
            if own in [image.number for image in converted]:
                found = "several images after dcm2niix"
                advice = "Convert it to NIfTI with another program, or leave it out."
                raise InputError("one image, or one per echo", found, advice)
            digits = re.match(r"\d+", own)[0]
            file = out_dir / f"series_{int(digits):03}{own[len(digits) :]}.nii"
            volume = read_volume(image, dtype=None, order="K", num_axes=len(header.shape))
            # rewritten, so that only the grid of the header remains
            write_volume(file, return_to_grid(volume.array, volume.own_affine), volume.own_affine)
            sidecar = _sidecar(read_sidecar(image), images[0])
            sidecar["Words"] += MADE_BY_DCM2NIIX.get(part[3], ())
            write_text(json.dumps(sidecar, indent=1), beside(file, ".json"))
            # from dcm2niix; if it wrote none or only 0, as for trace images of GE, b-values from the DICOM headers
            found, num_volumes, told = read_acquisition(image), (*header.shape, 1)[3], b_values_of(images)
            told = told * num_volumes if len(told) == 1 else told
            b_values = found.b_values if any(found.b_values) or len(told) != num_volumes else told
            if b_values:
                write_text(" ".join(f"{b_value:g}" for b_value in b_values) + "\n", beside(file, ".bval"))
            if b_values and found.b_vectors is not None and found.b_vectors.any():
                rows = (" ".join(f"{x:.6g}" for x in axis) for axis in found.b_vectors.T)
                write_text("\n".join(rows) + "\n", beside(file, ".bvec"))
            converted.append(Converted(own, file))
    return converted


def _run_dcm2niix(images: list[Header], place: Path) -> None:
    """Run dcm2niix on links to the files, whose own paths may contain names, and write to `place/out`."""
    for folder in (place / "in", place / "out"):
        folder.mkdir()
    for count, header in enumerate(images):
        source, link = header.file.resolve(), place / "in" / f"{count:06}.dcm"
        try:
            os.symlink(source, link)
        except OSError:  # links are not supported
            shutil.copyfile(source, link)

    def call(*merging: str) -> subprocess.CompletedProcess:
        command = [dcm2niix.bin, *OPTIONS, *merging, "-o", str(place / "out"), str(place / "in")]
        how = {"capture_output": True, "text": True, "errors": "replace", "stdin": subprocess.DEVNULL}
        return subprocess.run(command, preexec_fn=parent_death_request(), **how)

    several_uids = len({header["SeriesInstanceUID"] for header in images}) > 1
    ran = call("-m", "2") if several_uids else call()  # 2: merge regardless of the series UIDs
    one_echo = len({header["EchoTime"] for header in images}) == 1
    if one_echo and any((place / "out").glob("*_t[0-9]*.nii")):  # split only because of trigger times
        shutil.rmtree(place / "out")
        (place / "out").mkdir()
        ran = call("-m", "y")
    if ran.returncode or UNSOUND in ran.stdout.lower() or not any((place / "out").glob("*.nii")):
        said = (ran.stdout + ran.stderr).replace(str(place), "")  # reported without paths and header texts
        lines = [line for line in said.splitlines() if re.search(SAYS_WRONG, line, re.I)]
        message = " ".join(dict.fromkeys(re.sub(r"\S*/\S*", "", line) for line in lines)) or "no output image"
        for text in sorted(images[0].tags.values(), key=len, reverse=True):
            if len(text.strip()) > 3:
                message = message.replace(text.strip(), "")
        found = f"dcm2niix: {' '.join(message.split())[:300].rstrip(' .:')}"
        raise InputError("a series that dcm2niix can convert", found, COPY_AGAIN)


def _sidecar(told: dict, header: Header) -> dict:
    """Return the sidecar without patient data: numbers, known codes, and known words of the description."""
    kept = {key: told[key] for key in NUMBERS if isinstance(told.get(key), int | float)}
    for key, known in CODES.items():
        codes = told.get(key, [])
        codes = codes if isinstance(codes, list) else str(codes).split("\\")
        kept[key] = "\\".join(code for code in codes if code in known)
    makers = [name for word, name in MANUFACTURERS.items() if re.search(rf"\b{word}", header["Manufacturer"].lower())]
    kept["Manufacturer"] = [*makers, "other"][0]
    named = {header["ContrastBolusAgent"].lower(), header["ContrastBolusIngredient"].lower()} - NOT_GIVEN
    if named or sum(header.numbers("ContrastBolusVolume")) > 0 or "ContrastBolusIngredient" in told:
        kept["ContrastBolus"] = True
    elif not header.numbers("NumberOfFrames") > (1,):  # multi-frame files may name an agent in tags that are not read
        kept["ContrastBolus"] = False
    return kept | {key: words_of(header.text(name)) for key, name in WORDS.items()}
