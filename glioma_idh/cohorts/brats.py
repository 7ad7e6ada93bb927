"""BraTS 2020 as downloaded: one folder a subject, labels from the shipped manifest."""

from importlib.resources import as_file, files
from pathlib import Path

import pandas as pd

from glioma_idh.cohorts.table import read_table
from glioma_idh.errors import InputError

SUFFIXES = {"t1": "t1", "t1gd": "t1ce", "t2": "t2", "flair": "flair", "lesion_mask": "seg"}


def read_brats2020_tcga(images) -> pd.DataFrame:
    """The BraTS 2020 x TCGA subjects whose IDH status is known, joined with a folder of scans.

    Args:
        images: the folder that holds `BraTS20_Training_001` and its sisters, or a parent of it.

    Returns:
        Cohort table; the path of a file that is not there is empty.

    Raises:
        InputError: no subject's folder is there.
    """
    with as_file(files("data_manifests") / "brats2020_tcga.csv") as manifest:
        table = read_table(manifest)
    folders = {path.name: path for path in Path(images).glob("**/BraTS20_Training_*") if path.is_dir()}
    if not folders.keys() & set(table["subject"]):
        there = sorted(path.name for path in Path(images).iterdir())[:5] if Path(images).is_dir() else []
        found = f"{', '.join(there)} ..." if there else "no such folder, or an empty one"
        raise InputError("folders BraTS20_Training_NNN", found, "Name the BraTS 2020 training folder.", file=images)
    for column, suffix in SUFFIXES.items():
        table[column] = [_scan(folders.get(subject), subject, suffix) for subject in table["subject"]]
    return table


def _scan(folder: Path | None, subject: str, suffix: str) -> str:
    """The path of one file of a subject, empty where there is none."""
    if folder is None:
        return ""
    patterns = [f"{subject}_{suffix}.nii.gz", f"{subject}_{suffix}.nii"]
    if suffix == "seg":
        patterns.append("*_Segm.nii*")  # subject 355's mask is called W39_1998.09.19_Segm.nii
    return next((str(path.resolve()) for pattern in patterns for path in sorted(folder.glob(pattern))), "")
