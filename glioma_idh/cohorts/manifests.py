"""The label manifests that the package ships: who, IDH status and its evidence, never images or paths."""

from importlib.resources import as_file, files

import pandas as pd

from glioma_idh.cohorts.sheets import read_sheet
from glioma_idh.cohorts.table import IDENTITY

FACTS = ["site", "idh", "idh_evidence", "grade", "age_years", "sex"]


def read_manifest(name: str) -> pd.DataFrame:
    """A shipped manifest as text: the identity columns of the cohort table, and what else it has."""
    with as_file(files("data_manifests") / f"{name}.csv") as path:
        return read_sheet(path).reset_index(drop=True)


def make_manifest(subjects: pd.Series, patients: pd.Series, cohort: str, **columns) -> pd.DataFrame:
    """A manifest from its columns; those of the cohort table first and in its order, empty where not given.

    Args:
        subjects: ids.
        patients: whose each is.
        cohort: its name.
        **columns: series with the same index, or one text for all.
    """
    manifest = pd.DataFrame({"subject": subjects, "patient": patients}).assign(cohort=cohort, **columns)
    extra = [column for column in columns if column not in IDENTITY]
    manifest = manifest.reindex(columns=[*IDENTITY, *extra], fill_value="")
    return manifest.sort_values("subject").reset_index(drop=True)


def shipped_facts() -> pd.DataFrame:
    """What the shipped manifests say of each patient, indexed by patient; of several visits the first.

    Returns:
        `site, idh, idh_evidence, grade, age_years, sex` as text.
    """
    rows = pd.concat([read_manifest(name) for name in ("tcga", "upenn_gbm", "ucsf_pdgm")])
    return rows.drop_duplicates("patient").set_index("patient")[FACTS]


def with_facts(subjects: pd.Series, patients: pd.Series, cohort: str, facts: pd.DataFrame) -> pd.DataFrame:
    """A manifest of subjects whose patients another manifest may know; `facts` is indexed by patient."""
    known = facts.reindex(columns=FACTS).reindex(patients).fillna("").set_axis(patients.index)
    return make_manifest(subjects, patients, cohort, **{column: known[column] for column in FACTS})
