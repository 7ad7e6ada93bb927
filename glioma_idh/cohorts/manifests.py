"""Read and make manifests: tables of the subjects of a public cohort with IDH status and its evidence, without paths.

The package contains the manifests of the public cohorts that have labels (folder `data_manifests`).
"""

import functools
import re
from collections.abc import Callable
from importlib.resources import as_file, files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, NoReturn

import pandas as pd
import tyro

from glioma_idh.cohorts.column_names import IDENTITY
from glioma_idh.cohorts.own_tables import PARSERS, no_own_columns
from glioma_idh.cohorts.sheets import parse_column, read_readings, read_sheet
from glioma_idh.errors import InputError
from glioma_idh.files import write_table

File = Annotated[Path, tyro.conf.arg(metavar="FILE")]  # types of command-line arguments
Sheet = Annotated[Path | None, tyro.conf.arg(metavar="FILE")]
Mafs = Annotated[tuple[str, ...], tyro.conf.arg(metavar="FILE [FILE ...]")]
Genes = Annotated[tuple[str, ...], tyro.conf.arg(metavar="GENE [GENE ...]")]
UCSF_SECOND_VISITS = {  # exams in versions 1 and 2 that are second visits of other patients, renamed in version 3
    "UCSF-PDGM-0138": "UCSF-PDGM-0429_FU003d",
    "UCSF-PDGM-0175": "UCSF-PDGM-0396_FU175d",
    "UCSF-PDGM-0181": "UCSF-PDGM-0409_FU001d",
    "UCSF-PDGM-0278": "UCSF-PDGM-0431_FU001d",
    "UCSF-PDGM-0289": "UCSF-PDGM-0391_FU016d",
    "UCSF-PDGM-0315": "UCSF-PDGM-0433_FU007d",
}
ALIASES = ("brats2017_subject", "brats2018_subject", "brats2019_subject", "brats2021_subject")
NOBODY = pd.Series([], dtype=str)
FACTS = [*IDENTITY[IDENTITY.index("site") :], "treated_before"]  # columns with clinical data of a patient


def read_manifest(name: str) -> pd.DataFrame:
    """Read a manifest of the package as text: the identity columns of the cohort table and further columns."""
    with as_file(manifests_folder() / f"{name}.csv") as path:
        return read_sheet(path, required=("subject", "patient")).reset_index(drop=True)


def manifests_folder() -> Traversable:
    """Return the folder of the manifests: inside the installed package, or next to it in a checkout."""
    installed = files("glioma_idh") / "data_manifests"
    return installed if installed.is_dir() else files("glioma_idh") / "../data_manifests"


def make_manifest(subjects: pd.Series, patients: pd.Series, cohort: str, **columns: pd.Series | str) -> pd.DataFrame:
    """Make a manifest from its columns: one row per subject, sorted, with the columns of the cohort table first.

    Args:
        subjects: ids of the subjects.
        patients: ids of their patients.
        cohort: name of the cohort.
        columns: further columns, as series with the same index or as one text for all rows.

    Raises:
        InputError: a subject occurs twice, or a patient is both mutant and wild-type.
    """
    manifest = pd.DataFrame({"subject": subjects, "patient": patients}).assign(cohort=cohort, **columns)
    extra = [column for column in columns if column not in IDENTITY]
    manifest = manifest.reindex(columns=[*IDENTITY, *extra], fill_value="").sort_values("subject", ignore_index=True)
    twice = manifest["subject"][manifest["subject"].duplicated()]
    if len(twice):
        advice = "Remove one of them; the ids may differ only in leading zeros."
        raise InputError("one row per subject", "two rows of the sheet", advice, subject=twice.iloc[0])
    known = manifest[manifest["idh"] != ""]
    torn = known[known.groupby("patient")["idh"].transform("nunique") > 1]
    if len(torn):
        found = f"both, for {' and '.join(torn['subject'][torn['patient'] == torn['patient'].iloc[0]])}"
        raise InputError("one IDH status per patient", found, "Correct the sheet.", subject=torn["patient"].iloc[0])
    return manifest


def parse_columns(sheet: pd.DataFrame, **columns: str) -> dict[str, pd.Series]:
    """Parse columns of a downloaded sheet for `make_manifest`, given as cohort-table name = name in the sheet.

    Columns that the sheet does not have are left out.
    """
    return {name: parse_column(sheet, column, PARSERS[name]) for name, column in columns.items() if column in sheet}


def write_manifest(manifest: pd.DataFrame, path: Path) -> None:
    """Write a manifest and print its number of subjects by IDH status."""
    write_table(manifest, path)
    counts = manifest["idh"].value_counts()
    unknown = f", {counts['']} unknown" if "" in counts else ""
    print(f"{path}: {len(manifest)} subjects, {counts.get('1', 0)} mutant, {counts.get('0', 0)} wild-type{unknown}")


def shipped(name: str, read: Callable | None = None) -> Callable[[Path | None, Path], pd.DataFrame]:
    """Return a function that reads a cohort's labels: from its label sheet with `read`, else from the manifest."""
    return lambda sheet, images: read_manifest(name) if sheet is None else (read or refuse_labels)(sheet)


def refuse_labels(sheet: str | Path) -> NoReturn:
    """Raise InputError for a label sheet without `subject` and `idh`, for cohorts without an original label sheet."""
    raise no_own_columns(read_readings(Path(sheet)), Path(sheet))


def shipped_facts() -> pd.DataFrame:
    """Return FACTS of all patients in the manifests of the package, as text, indexed by patient (first visit)."""
    rows = pd.concat([read_manifest(name) for name in ("tcga", "upenn_gbm", "ucsf_pdgm")])
    return rows.drop_duplicates("patient").set_index("patient")[FACTS].fillna("")


def with_facts(subjects: pd.Series, patients: pd.Series, cohort: str, facts: pd.DataFrame) -> pd.DataFrame:
    """Make a manifest with the clinical data of the patients; `facts` has columns of FACTS, indexed by patient."""
    known = facts.reindex(columns=FACTS).reindex(patients).astype(object).fillna("").set_axis(patients.index)
    return make_manifest(subjects, patients, cohort, **{column: known[column] for column in FACTS})


def known_patient(name: str) -> str:
    """Return the patient id that is the same in all public cohorts; "" if the name belongs to none of them.

    TCGA, UPENN and UCSF ids lose their sample and visit; BraTS 2017 to 2021 ids are looked up in the manifests.
    """
    if match := re.search(r"TCGA-\w\w-\w{4}|UPENN-GBM-\d{5}", name, re.IGNORECASE):
        return match[0].upper()
    if match := re.search(r"UCSF-PDGM-0*(\d+)(_FU\d+d)?", name, re.IGNORECASE):
        exam = f"UCSF-PDGM-{int(match[1]):04}"
        return exam if match[2] else UCSF_SECOND_VISITS.get(exam, exam).split("_")[0]
    return _aliases().get(name.strip().lower(), "")


def canonical_patient(name: str) -> str:
    """Return the patient id as `known_patient`; unknown names are returned unchanged."""
    return known_patient(name) or name.strip()


@functools.cache
def _aliases() -> dict[str, str]:
    """Return the patient of each BraTS id in the manifests; the keys are in lower case."""
    aliases: dict[str, str] = {}
    for manifest in (read_manifest("brats2020_tcga"), read_manifest("ucsf_pdgm")):
        for column in ("subject", *(name for name in ALIASES if name in manifest)):
            aliases |= dict(zip(manifest[column].str.lower(), manifest["patient"], strict=True))
    aliases.pop("", None)
    return aliases
