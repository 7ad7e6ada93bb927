"""A look at every image of a cohort before anything is made of them: what each one is, and what is wrong with it."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import delayed

from glioma_idh.cohorts.cells import status_of
from glioma_idh.cohorts.checks import rows
from glioma_idh.cohorts.checks.copies import OF_NAMES, remarks_on_names, report_copies
from glioma_idh.cohorts.checks.rows import SGPNET, SLICE_CNN, Scan, grid_difference, open_scan
from glioma_idh.cohorts.checks.tiles import Tile, cut_slice, lesion_point, make_thumbnails
from glioma_idh.cohorts.column_names import MASKS, PATHS, SEQUENCE_NAMES, SEQUENCES
from glioma_idh.cohorts.table import START_OF_PATHS, first_missing
from glioma_idh.imaging.axes import find_flip, find_wrong_axes
from glioma_idh.imaging.heuristics import find_other_brain
from glioma_idh.imaging.masks import measure_lesion
from glioma_idh.parallel import run_parallel
from glioma_idh.progress import progress

MAPS = ("rcbv", "adc")  # often masked on their own, by another brain than the scans
NUMBERS = ("minimum", "maximum", "mean", "sd", "lesion_ml", "share_of_brain", "enhancing_ml")
TYPES = {"not_finite": "Int64", "constant": "boolean", "enhancing_label": "Int64", **dict.fromkeys(NUMBERS, float)}


def check_scans(table: pd.DataFrame, jobs: int = -1, quiet: bool = False) -> tuple[pd.DataFrame, list[Tile]]:
    """Look at every image of a cohort, each file read once: a row an image (`rows.SCAN_COLUMNS`), a tile a subject."""
    with_images = pd.DataFrame(table[(table[list(PATHS)] != "").any(axis=1)])
    with_images.attrs = {}  # they would be copied for every row
    results = run_parallel((delayed(check_subject)(row) for _, row in with_images.iterrows()), jobs)
    looks = list(progress(results, total=len(with_images), what="checking scans", quiet=quiet))
    scans = [scan for found, _ in looks for scan in found]
    lesions = [scan for scan in scans if scan.label_ml and scan.image == "lesion_mask"]
    for cohort in {lesion.row["cohort"] for lesion in lesions}:  # each has its own label of the enhancing tumour
        members = [lesion for lesion in lesions if lesion.row["cohort"] == cohort]
        enhancing = enhancing_label(label for lesion in members for label in lesion.label_ml)
        for lesion in members if enhancing else []:  # label 1 alone may be the whole lesion
            volume = np.nan if set(lesion.label_ml) == {1} else lesion.label_ml.get(enhancing, 0.0)
            lesion.row |= {"enhancing_label": enhancing, "enhancing_ml": volume}
    report_copies(scans)
    words = [dict.fromkeys(words for scan in found for words, _ in scan.problems) for found, _ in looks]
    tiles = [replace(tile, problems=tuple(of)) for (_, tile), of in zip(looks, words, strict=True)]
    checked = [scan.row | {"problem": " ".join(sentence for _, sentence in scan.problems)} for scan in scans]
    checked = pd.DataFrame(checked, columns=list(rows.SCAN_COLUMNS)).astype(TYPES)
    texts = checked.columns.difference(list(TYPES))
    checked[texts] = checked[texts].astype(object).fillna("")
    return checked, tiles


def why_none(table: pd.DataFrame, scans: pd.DataFrame) -> str:
    """Why `check_scans` could look at no image of a cohort, in a sentence; empty where it could at one."""
    if (scans["shape"] != "").any():
        return ""
    if scans.empty:
        return f"No image was looked at: no cell of the columns {', '.join(PATHS)} names a file."
    if path := first_missing(table):
        advice = START_OF_PATHS.format(flag="--images")
        return f"None of {len(scans)} images is there; the first looked for is {path}. {advice}"
    return f"None of {len(scans)} images could be read."


def check_subject(row: pd.Series) -> tuple[list[Scan], Tile]:
    """Look at the images in a row of a cohort table: its sequences and masks without voxels, and its tile."""
    masks = {name: open_scan(row, name) for name in MASKS if row[name]}
    readable = [mask for mask in masks.values() if mask.volume]
    for mask in readable:
        rows.describe_mask(mask)
    lesion = next((mask for mask in readable if mask.image == "lesion_mask" and mask.volume.array.any()), None)
    brain = next((mask for mask in readable if mask.image == "brain_mask"), None)
    scans, slices, first, tissue = check_sequences(row, lesion, brain)
    for mask in readable if first else []:
        rows.compare_grids(mask, first)
    if lesion and brain and not grid_difference(brain.volume, lesion.volume):
        tissue = brain.volume.array != 0
    if lesion:  # of a brain that is not known, the whole image
        around = np.ones(lesion.volume.array.shape, bool) if tissue is None else tissue
        facts = measure_lesion(lesion.volume.array, around, lesion.volume.voxel_ml)
        if tissue is not None:
            lesion.row["share_of_brain"] = facts.share_of_brain
        if reason := facts.why_no_lesion():
            lesion.refuse("no lesion mask", f"Expected a lesion mask, found {reason}. It is set aside.")
        else:
            for words, sentence in facts.remarks().items():
                lesion.report(words, sentence)
    scans |= masks
    files = {name: Path(row[name]) for name in scans if name != "adc" or not row.get("adc_divisor", "")}  # not a trace
    for name, sentence in remarks_on_names(files):
        scans[name].report(OF_NAMES, sentence)
    found = [replace(scan, volume=None, tissue=None) for scan in scans.values()]
    thumbnails = dict.fromkeys(name for name in scans if name not in masks) | make_thumbnails(slices)
    return found, Tile(row["subject"], int(status_of(row["idh"]) or -1), thumbnails, bool(lesion))


def check_sequences(row: pd.Series, lesion: Scan | None, brain: Scan | None):
    """Look at the sequences of one subject, one after the other; only the first one's voxels are kept.

    Returns the sequences and slices for a contact sheet by name; the first that can be read; and the voxels that are
    tissue in any sequence on the lesion's grid without a skull, None if there is none.
    """
    scans, slices, hashes, first, tissue, covered = {}, {}, {}, None, None, {}
    point = lesion_point(lesion.volume) if lesion else None
    for name in (name for name in SEQUENCES if row[name]):
        scan = scans[name] = open_scan(row, name)
        if not scan.volume:
            continue
        first = first or scan
        rows.describe_sequence(scan, row.get("adc_divisor", "") if name == "adc" else "", bool(row["brain_mask"]))
        if sentence := find_wrong_axes(scan.volume.array, scan.volume.spacing_mm):
            scan.report("other axes", sentence)
        rows.compare_grids(scan, first)
        other = name if scan.row["constant"] else hashes.setdefault(scan.row["voxel_hash"], name)
        if other != name:
            scan.report(f"same as {other}", f"Has the very voxels of {other}.")
        if name not in MAPS and SGPNET not in scan.row["refused"]:  # which is 0 around the brain, on the first's grid
            covered[SEQUENCE_NAMES[name]] = scan.volume.array != 0
        given = [lesion] * bool(lesion) + [brain] * bool(row["brain_mask"])
        if any(of is None or grid_difference(of.volume, scan.volume) for of in given):
            scan.refuse_by(SLICE_CNN)  # whose masks lie on the grid of the scan
        mask = lesion.volume if lesion and not grid_difference(lesion.volume, scan.volume) else None
        slices[name] = cut_slice(scan.volume, scan.tissue, point, mask)
        if mask and not scan.row["constant"] and scan.row["head"] != "with skull":
            tissue = scan.tissue if tissue is None else tissue | scan.tissue
            check_flip(lesion, scan)
        scan.tissue = None
        scan.volume = scan.volume if scan is first else None
    found = find_other_brain(covered)
    for scan in scans.values():
        if sentence := found.get(SEQUENCE_NAMES[scan.image]):
            scan.report("other brain", sentence)
    return scans, slices, first, tissue


def check_flip(lesion: Scan, scan: Scan) -> None:
    """Report, once, a lesion mask that fits a sequence on its grid much better when it is flipped."""
    if any(words == "flipped mask" for words, _ in lesion.problems):
        return
    volume = scan.volume
    if flip := find_flip(volume.array, lesion.volume.array != 0, scan.tissue, volume.spacing_mm):
        direction, given, flipped = flip
        better = f"Flipped {direction}, the mask fits {SEQUENCE_NAMES[scan.image]} better"
        auc = f"has an AUC of {flipped:.2f}, not {given:.2f}"
        question = "Was it drawn on, or exported with, another orientation?"
        sentence = f"{better}: the lesion's brightness against what lies around it {auc}. {question}"
        lesion.report("flipped mask", sentence)


def enhancing_label(labels: Iterable[int]) -> int | None:
    """A guess which label is the enhancing tumour, by BraTS: 4 up to 2021, 3 from 2023 on; None where neither occurs.

    Where there are both, 4 is the resection cavity (2024, after treatment). BraTS before 2017 used both, too, with 4
    enhancing; its masks are read wrongly here. One mask alone may lack the one that tells.
    """
    found = set(labels)
    return next((label for label in (3, 4) if label in found), None)
