"""Who: tables of subjects with their scans and IDH status, and the splits made on patients."""

from pathlib import Path

import pandas as pd

from glioma_idh.cohorts.brats import read_brats2020_tcga
from glioma_idh.cohorts.table import read_table
from glioma_idh.errors import InputError

NAMES = ("phantom", "brats2020-tcga")


def read_cohort(name: str, images=None, sequences=(), quiet: bool = False) -> pd.DataFrame:
    """The cohort table behind a name.

    Args:
        name: `phantom` (made on first use), `brats2020-tcga`, or the path of a cohort CSV.
        images: the folder of scans, for a named public cohort.
        sequences: inside names of the sequences wanted; the phantom makes no others.
        quiet: no progress bars.

    Raises:
        InputError: the name is unknown, or the folder of scans is missing where one is needed.
    """
    if name == "phantom":
        from glioma_idh.phantom import make_phantom

        return read_table(make_phantom(sequences=tuple(sequences), quiet=quiet))
    if name == "brats2020-tcga":
        if images is None:
            raise InputError("--images DIR", "no folder of scans", "Name the BraTS 2020 training folder.")
        return read_brats2020_tcga(images)
    if Path(name).suffix.lower() == ".csv":
        return read_table(name)
    known = ", ".join(NAMES)
    raise InputError(f"a cohort: {known}, or the path of a .csv", repr(name), "Check the spelling.")


def find_planted_scores(table: pd.DataFrame, sequence: str) -> pd.Series | None:
    """The best possible score of each subject of the phantom, from the truth file beside its scans.

    Args:
        table: cohort table with a scan of that sequence in every row.
        sequence: inside name.

    Returns:
        Scores indexed by subject; None where a subject is no phantom.
    """
    truth = Path(table[sequence].iloc[0]).parents[1] / "truth.csv"
    if (table["cohort"] != "phantom").any() or not truth.is_file():
        return None
    from glioma_idh.phantom import planted_scores

    return planted_scores(truth, [sequence]).loc[table["subject"]]
