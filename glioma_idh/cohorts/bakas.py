"""The pre-operative TCGA-GBM and TCGA-LGG scans with masks of Bakas et al. (Scientific Data 2017), as downloaded."""

import pandas as pd

from glioma_idh.cohorts.folders import Layout
from glioma_idh.cohorts.manifests import no_such_labels, read_manifest

LAYOUT = Layout(
    subject=r"TCGA-\w\w-\w{4}",
    files=r"_(?P<visit>\d{4}\.\d\d\.\d\d)_(?P<scan>\w+)",
    scans={
        "t1": ("t1",),
        "t1gd": ("t1Gd",),
        "t2": ("t2",),
        "flair": ("flair",),
        "lesion_mask": ("GlistrBoost_ManuallyCorrected", "GlistrBoost"),
    },
    example="TCGA-02-0006/TCGA-02-0006_1996.08.23_t1Gd.nii.gz",
    rename=str.upper,
)


def labels(sheet, images) -> pd.DataFrame:
    """The shipped manifest; `python -m glioma_idh.cohorts tcga-idh` makes another from variant calls (--labels)."""
    if sheet is not None:
        raise no_such_labels(sheet)
    return read_manifest("tcga")
