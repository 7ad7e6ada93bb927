"""Rows of a patient are told by their names, and no cohort's own ids are taken for such."""

import pandas as pd
import pytest

from glioma_idh.cohorts.manifests import ALIASES, read_manifest
from glioma_idh.evaluation.checks import numbered_names


def table(names, truths=None):
    return pd.DataFrame({"subject": list(names), "truth": truths or [0] * len(names)})


def grid(form="p{:02}_slice{:02}", patients=4, rows=6):
    return [form.format(patient, row) for patient in range(1, patients + 1) for row in range(rows)]


@pytest.mark.parametrize("form", ["p{:02}_slice{:02}", "{}-{}", "TCGA-{:02}-{}.nii.gz", "{:02} {:03}.png"])
def test_several_rows_of_each_patient(form):
    names = grid(form)
    truths = [0] * 12 + [1] * 12
    found = {"num_subjects": 24, "num_names": 4, "example": names[0]}
    assert numbered_names(table(names, truths)) == found
    assert numbered_names(table(names * 2, truths * 2)) == found  # tested in two splits
    assert numbered_names(table(names[:5] + names[11:], truths[:5] + truths[11:])) == found | {"num_subjects": 18}


@pytest.mark.parametrize(
    "names",
    [
        [f"s{n:02}" for n in range(1, 25)],
        [f"BraTS-GLI-{n:05}-000" for n in range(24)],
        [*grid(), "control"],
        grid(rows=2),
        [f"TCGA-{site:02}-{n:04}" for site in range(4) for n in range(site * 6, site * 6 + 6)],
        [f"{n}" for n in range(24)],
        [f"{name}{n:02}" for name in ("MUT", "WT") for n in range(12)],
    ],
)
def test_ids_of_patients_are_none(names):
    assert numbered_names(table(names)) is None


def test_names_of_two_truths_are_sites():
    assert numbered_names(table(grid(), [0, 1] * 12)) is None


@pytest.mark.parametrize("name", ["tcga", "brats2020_tcga", "ucsf_pdgm", "upenn_gbm"])
def test_ids_of_public_cohorts_are_none(name):
    manifest = read_manifest(name)
    for column in ["subject", "patient", *(column for column in ALIASES if column in manifest)]:
        ids = manifest.loc[manifest[column] != "", column]
        assert numbered_names(table(ids)) is None
