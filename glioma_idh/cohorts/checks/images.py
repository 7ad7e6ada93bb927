"""Check every image of a cohort before it is used: describe it and list its problems."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

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

MAPS = ("rcbv", "adc")  # often masked separately, with another brain mask than the scans
NUMBERS = ("minimum", "maximum", "mean", "sd", "lesion_ml", "share_of_brain", "enhancing_ml")
TYPES = {"not_finite": "Int64", "constant": "boolean", "enhancing_label": "Int64", **dict.fromkeys(NUMBERS, float)}


def check(table: pd.DataFrame, jobs: int = -1, quiet: bool = False) -> tuple[pd.DataFrame, list[Tile]]:
    """Check every image of a cohort. Each file is read once.

    Args:
        table: cohort table.
        jobs: number of processes; -1 for one per processor core.
        quiet: show no progress.

    Returns:
        A table with one row per image (columns: `rows.SCAN_COLUMNS`), and one tile per subject with images.
    """
    with_images = pd.DataFrame(table[(table[list(PATHS)] != "").any(axis=1)])
    with_images.attrs = {}  # otherwise copied for every row
    results = run_parallel((delayed(check_subject)(row) for _, row in with_images.iterrows()), jobs)
    looks = list(progress(results, total=len(with_images), what="checking scans", quiet=quiet))
    scans = [scan for found, _ in looks for scan in found]
    lesions = [scan for scan in scans if scan.label_ml and scan.image == "lesion_mask"]
    for cohort in {lesion.row["cohort"] for lesion in lesions}:  # the label of the enhancing tumour depends on it
        members = [lesion for lesion in lesions if lesion.row["cohort"] == cohort]
        enhancing = enhancing_label(label for lesion in members for label in lesion.label_ml)
        for lesion in members if enhancing else []:  # label 1 as the only label may be the whole lesion
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
    """Return a sentence that says why `cohorts.check` could check no image; "" if it could check at least one."""
    if (scans["shape"] != "").any():
        return ""
    if scans.empty:
        return f"No image was checked: the columns {', '.join(PATHS)} contain no paths."
    if path := first_missing(table):
        advice = START_OF_PATHS.format(flag="--images")
        return f"None of the {len(scans)} images exists; the first path is {path}. {advice}"
    return f"None of the {len(scans)} images could be read."


def check_subject(row: pd.Series) -> tuple[list[Scan], Tile]:
    """Check the images of one row of a cohort table.

    Returns the sequences and masks, without their voxels, and the tile of the subject.
    """
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
    if lesion:  # if the brain is not known, the whole image counts as brain
        around = np.ones(lesion.volume.array.shape, bool) if tissue is None else tissue
        facts = measure_lesion(lesion.volume.array, around, lesion.volume.voxel_ml)
        if tissue is not None:
            lesion.row["share_of_brain"] = facts.share_of_brain
        if reason := facts.why_no_lesion():
            lesion.refuse("no lesion mask", f"Expected a lesion mask, found {reason}. The subject is excluded.")
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
    """Check the sequences of one subject one after the other. Only the voxels of the first are kept.

    Returns:
        The sequences by name; their slices for the contact sheet, by name; the first readable sequence or None; and a
        mask of tissue, None if not available: voxels that are not background in a sequence that is skull-stripped and
        on the grid of the lesion mask.
    """
    scans: dict[str, Scan] = {}
    slices: dict = {}
    hashes: dict = {}
    covered: dict = {}
    first: Any = None
    tissue: Any = None
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
            scan.report(f"same as {other}", f"Has the same voxels as {other}.")
        if name not in MAPS and SGPNET not in scan.row["refused"]:  # then it is skull-stripped, on the first's grid
            covered[SEQUENCE_NAMES[name]] = scan.volume.array != 0
        given = [lesion] * bool(lesion) + [brain] * bool(row["brain_mask"])
        if any(of is None or grid_difference(of.volume, scan.volume) for of in given):
            scan.refuse_by(SLICE_CNN)  # it needs masks on the grid of the scan
        mask = lesion.volume if lesion and not grid_difference(lesion.volume, scan.volume) else None
        slices[name] = cut_slice(scan.volume, scan.tissue, point, mask)
        if lesion and mask and not scan.row["constant"] and scan.row["head"] != "with skull":
            tissue = scan.tissue if tissue is None else tissue | scan.tissue
            check_flip(lesion, scan)
        scan.tissue = None  # type: ignore[assignment]
        if scan is not first:
            scan.volume = None  # type: ignore[assignment]
    found = find_other_brain(covered)
    for scan in scans.values():
        if remark := found.get(SEQUENCE_NAMES[scan.image]):
            scan.report("other brain", remark)
    return scans, slices, first, tissue


def check_flip(lesion: Scan, scan: Scan) -> None:
    """Report a lesion mask that fits a sequence on its grid much better when it is flipped; once per mask."""
    if any(words == "flipped mask" for words, _ in lesion.problems):
        return
    volume = scan.volume
    if flip := find_flip(volume.array, lesion.volume.array != 0, scan.tissue, volume.spacing_mm):
        direction, given, flipped = flip
        better = f"If flipped {direction}, the mask fits {SEQUENCE_NAMES[scan.image]} better"
        auc = f"the intensities inside and around it differ with an AUC of {flipped:.2f} instead of {given:.2f}"
        question = "Was it drawn or exported with another orientation?"
        lesion.report("flipped mask", f"{better}: {auc}. {question}")


def enhancing_label(labels: Iterable[int]) -> int | None:
    """Estimate which label is the enhancing tumour: in BraTS, 4 up to 2021 and 3 from 2023 on; None if neither occurs.

    If both occur, 4 is the resection cavity (BraTS 2024, after treatment). BraTS before 2017 used both with 4 as the
    enhancing tumour; its masks are not supported. `labels` are those of all masks of a cohort, because a single mask
    may lack the label that decides.
    """
    found = set(labels)
    return next((label for label in (3, 4) if label in found), None)
