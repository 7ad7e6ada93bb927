"""Tables of subjects with their scans and IDH status, and their splits into training and test sets.

    read             a cohort table from a cohort's name or from a CSV or Excel file of your own
    check            open every image of a cohort and look for problems
    describe         that check as text
    overlap          patients who are in two cohorts
    split            training and test sets by patient
    check_labels     the subjects with a usable IDH status, and the reasons why the others are left out
    characteristics_table  the "Table 1" of a manuscript
    read_manifest    the labels that the package ships: ids, IDH status and clinical facts, no images

A cohort table has one row per subject. Columns: `subject, patient, cohort, site, idh` ("1" IDH-mutant, "0" wild-type,
"" unknown), further clinical facts, and one column of paths per image: `t1, t1gd, t2, flair, rcbv, adc, lesion_mask,
brain_mask`. All cells are text.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from glioma_idh.lazy import lazy_names

if TYPE_CHECKING:
    from glioma_idh.cohorts.characteristics import characteristics_table as characteristics_table
    from glioma_idh.cohorts.checks.images import check as check
    from glioma_idh.cohorts.checks.summary import describe as describe
    from glioma_idh.cohorts.cohort import find_planted_scores as find_planted_scores
    from glioma_idh.cohorts.cohort import read as read
    from glioma_idh.cohorts.column_names import SEQUENCES as SEQUENCES
    from glioma_idh.cohorts.manifests import read_manifest as read_manifest
    from glioma_idh.cohorts.scans import read_scan as read_scan
    from glioma_idh.cohorts.shared_patients import overlap as overlap
    from glioma_idh.cohorts.shared_patients import refuse_overlap as refuse_overlap
    from glioma_idh.cohorts.shared_patients import shared_images as shared_images
    from glioma_idh.cohorts.splits import split as split
    from glioma_idh.cohorts.table import available_sequences as available_sequences
    from glioma_idh.cohorts.table import check_labels as check_labels
    from glioma_idh.cohorts.tcga import idh_from_variants as idh_from_variants

PUBLIC = {  # the module of each public cohort, whose `COHORTS` has a `PublicCohort` by that name
    "brats2020-tcga": "brats",
    "brats2020": "brats",
    "brats2021": "brats",
    "brats2023": "brats",
    "upenn-gbm": "upenn",
    "ucsf-pdgm": "ucsf",
    "egd": "egd",
    "tcga": "bakas",
}
OWN = ("folders", "csv")  # a folder a subject, and its older name
NAMES = ("phantom", *PUBLIC, *OWN)
HELP = f"{', '.join(('phantom', *PUBLIC))}, folders (your own), or a cohort table (CSV or XLSX)."  # for --cohort


def public_cohort(name: str):
    """The `PublicCohort` of a name in PUBLIC."""
    return import_module(f"{__name__}.{PUBLIC[name]}").COHORTS[name]


def title(name: str) -> str:
    """What a cohort is called in a methods section; empty where the name is none of NAMES."""
    if name in PUBLIC:
        return public_cohort(name).title
    return {"phantom": "the built-in synthetic phantom", **dict.fromkeys(OWN, "a local cohort")}.get(name, "")


__all__, __getattr__, __dir__ = lazy_names(
    __name__,
    {
        "characteristics": ("characteristics_table",),
        "checks.images": ("check",),
        "checks.summary": ("describe",),
        "cohort": ("find_planted_scores", "read"),
        "column_names": ("SEQUENCES",),
        "manifests": ("read_manifest",),
        "scans": ("read_scan",),
        "shared_patients": ("overlap", "refuse_overlap", "shared_images"),
        "splits": ("split",),
        "table": ("available_sequences", "check_labels"),
        "tcga": ("idh_from_variants",),
    },
)
