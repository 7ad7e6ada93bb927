"""The label manifests that the package ships: who, IDH status and its evidence, never images or paths."""

import functools
import re
from collections.abc import Callable
from importlib.resources import as_file, files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated

import pandas as pd
import tyro

from glioma_idh.cohorts.column_names import IDENTITY
from glioma_idh.cohorts.own_tables import PARSERS, no_own_columns
from glioma_idh.cohorts.sheets import parse_column, read_readings, read_sheet
from glioma_idh.errors import InputError
from glioma_idh.files import write_table

File = Annotated[Path, tyro.conf.arg(metavar="FILE")]  # of a command
Sheet = Annotated[Path | None, tyro.conf.arg(metavar="FILE")]
Mafs = Annotated[tuple[str, ...], tyro.conf.arg(metavar="FILE [FILE ...]")]
Genes = Annotated[tuple[str, ...], tyro.conf.arg(metavar="GENE [GENE ...]")]
UCSF_SECOND_VISITS = {  # exams of versions 1 and 2 that are second visits of other patients; version 3 renamed them
    "UCSF-PDGM-0138": "UCSF-PDGM-0429_FU003d",
    "UCSF-PDGM-0175": "UCSF-PDGM-0396_FU175d",
    "UCSF-PDGM-0181": "UCSF-PDGM-0409_FU001d",
    "UCSF-PDGM-0278": "UCSF-PDGM-0431_FU001d",
    "UCSF-PDGM-0289": "UCSF-PDGM-0391_FU016d",
    "UCSF-PDGM-0315": "UCSF-PDGM-0433_FU007d",
}
ALIASES = ("brats2017_subject", "brats2018_subject", "brats2019_subject", "brats2021_subject")
NOBODY = pd.Series([], dtype=str)
FACTS = [*IDENTITY[IDENTITY.index("site") :], "treated_before"]  # what is known of a patient


def read_manifest(name: str) -> pd.DataFrame:
    """A shipped manifest as text: the identity columns of the cohort table, and what else it has."""
    with as_file(manifests_folder() / f"{name}.csv") as path:
        return read_sheet(path, required=("subject", "patient")).reset_index(drop=True)


def manifests_folder() -> Traversable:
    """The folder of the shipped manifests: inside the installed package, or beside it in a checkout."""
    installed = files("glioma_idh") / "data_manifests"
    return installed if installed.is_dir() else files("glioma_idh") / "../data_manifests"


def make_manifest(subjects: pd.Series, patients: pd.Series, cohort: str, **columns) -> pd.DataFrame:
    """A manifest from its columns, series of one index or one text for all: one row a subject, in order.

    Columns of the cohort table come first. A subject twice, or a patient both mutant and wild-type, is an InputError.
    """
    manifest = pd.DataFrame({"subject": subjects, "patient": patients}).assign(cohort=cohort, **columns)
    extra = [column for column in columns if column not in IDENTITY]
    manifest = manifest.reindex(columns=[*IDENTITY, *extra], fill_value="").sort_values("subject", ignore_index=True)
    twice = manifest["subject"][manifest["subject"].duplicated()]
    if len(twice):
        advice = "Remove one; ids may differ in zeros alone."
        raise InputError("one row a subject", "two rows of the sheet", advice, subject=twice.iloc[0])
    known = manifest[manifest["idh"] != ""]
    torn = known[known.groupby("patient")["idh"].transform("nunique") > 1]
    if len(torn):
        found = f"both, for {' and '.join(torn['subject'][torn['patient'] == torn['patient'].iloc[0]])}"
        raise InputError("one IDH status a patient", found, "Correct the sheet.", subject=torn["patient"].iloc[0])
    return manifest


def parse_columns(sheet: pd.DataFrame, **columns: str) -> dict[str, pd.Series]:
    """What a sheet as downloaded tells, for `make_manifest`: its columns by those of the cohort table."""
    return {name: parse_column(sheet, column, PARSERS[name]) for name, column in columns.items() if column in sheet}


def write_manifest(manifest: pd.DataFrame, path: Path) -> None:
    """Write a manifest and say how many of which status there are."""
    write_table(manifest, path)
    counts = manifest["idh"].value_counts()
    unknown = f", {counts['']} unknown" if "" in counts else ""
    print(f"{path}: {len(manifest)} subjects, {counts.get('1', 0)} mutant, {counts.get('0', 0)} wild-type{unknown}")


def shipped(name: str, read: Callable | None = None) -> Callable[[Path | None, Path], pd.DataFrame]:
    """The labels of a cohort: its label sheet as `read` reads it, where one is named, else the shipped manifest."""
    return lambda sheet, images: read_manifest(name) if sheet is None else (read or refuse_labels)(sheet)


def refuse_labels(sheet) -> None:
    """A cohort that has no label sheet of its own takes none without `subject` and `idh`."""
    raise no_own_columns(read_readings(Path(sheet)), Path(sheet))


def shipped_facts() -> pd.DataFrame:
    """FACTS that the shipped manifests tell, as text, indexed by patient; of several visits the first."""
    rows = pd.concat([read_manifest(name) for name in ("tcga", "upenn_gbm", "ucsf_pdgm")])
    return rows.drop_duplicates("patient").set_index("patient")[FACTS].fillna("")


def with_facts(subjects: pd.Series, patients: pd.Series, cohort: str, facts: pd.DataFrame) -> pd.DataFrame:
    """A manifest of subjects whose patients another manifest may know; `facts` is indexed by patient."""
    known = facts.reindex(columns=FACTS).reindex(patients).astype(object).fillna("").set_axis(patients.index)
    return make_manifest(subjects, patients, cohort, **{column: known[column] for column in FACTS})


def known_patient(name: str) -> str:
    """The one name of a patient of the public cohorts, however a table or folder spells it; empty if it is none.

    TCGA, UPENN and UCSF ids lose sample and visit; ids of BraTS 2017 to 2021 become theirs where a manifest has them.
    """
    if match := re.search(r"TCGA-\w\w-\w{4}|UPENN-GBM-\d{5}", name, re.IGNORECASE):
        return match[0].upper()
    if match := re.search(r"UCSF-PDGM-0*(\d+)(_FU\d+d)?", name, re.IGNORECASE):
        exam = f"UCSF-PDGM-{int(match[1]):04}"
        return exam if match[2] else UCSF_SECOND_VISITS.get(exam, exam).split("_")[0]
    return _aliases().get(name.strip().lower(), "")


def canonical_patient(name: str) -> str:
    """As `known_patient`; another name stays as it is."""
    return known_patient(name) or name.strip()


@functools.cache
def _aliases() -> dict[str, str]:
    """The patient behind each BraTS id that a shipped manifest has, in small letters."""
    aliases = {}
    for manifest in (read_manifest("brats2020_tcga"), read_manifest("ucsf_pdgm")):
        for column in ("subject", *(name for name in ALIASES if name in manifest)):
            aliases |= dict(zip(manifest[column].str.lower(), manifest["patient"], strict=True))
    aliases.pop("", None)
    return aliases
