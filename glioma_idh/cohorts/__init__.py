"""Who: tables of subjects with their scans and IDH status, and the splits made on patients.

Light enough for `--help`: `read_cohort` and `find_planted_scores` are loaded when first used.
"""

from importlib import import_module

from glioma_idh.lazy import lazy_names

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


__all__, __getattr__, __dir__ = lazy_names(__name__, {"cohort": ("find_planted_scores", "read_cohort")})
