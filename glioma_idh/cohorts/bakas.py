"""The pre-operative TCGA-GBM and TCGA-LGG scans with masks of Bakas et al. (Scientific Data 2017), as downloaded."""

from pathlib import Path

import pandas as pd

from glioma_idh.cohorts.folders import Layout, PublicCohort
from glioma_idh.cohorts.manifests import File, Genes, Mafs, Sheet, shipped, write_manifest
from glioma_idh.cohorts.tcga import MutationRule, idh_from_variants, tcga_manifest
from glioma_idh.cohorts.tcga_clinical import find_disagreements, read_facts
from glioma_idh.files import write_table

LAYOUT = Layout(
    subject=r"TCGA-\w\w-\w{4}",
    files=r"_(?P<visit>\d{4}\.\d\d\.\d\d)_(?P<scan>\w+)",
    scans={
        **{"t1": ("t1",), "t1gd": ("t1Gd",), "t2": ("t2",), "flair": ("flair",)},
        "lesion_mask": ("GlistrBoost_ManuallyCorrected", "GlistrBoost"),
    },
    example="TCGA-02-0006/TCGA-02-0006_1996.08.23_t1Gd.nii.gz",
    rename=str.upper,
)


def tcga_idh(
    maf: Mafs,
    out: File,
    clinical: Sheet = None,
    who2021: Sheet = None,
    min_callers: int = 2,
    genes: Genes = ("IDH1", "IDH2"),
    hotspot_only: bool = False,
    quiet: bool = False,
) -> None:
    """IDH status of TCGA patients from somatic variant calls (MAF), by the rule of Wang et al. 2021.

    Writes a manifest, and beside it OUT_disagreements.csv where callers disagree, and OUT_who2021_disagreements.csv
    where a WHO 2021 class names another IDH status; `idh` stays by the rule.

    Args:
        maf: MAF files, gzipped or not: GDC's (one a caller, CALLER=FILE where the name does not say it; or aggregated)
            or MC3's.
        out: The CSV to write.
        clinical: The TCGA Clinical Data Resource (tcga_cdr.csv), for age, sex, grade and histology; empty without it.
        who2021: A relabelling by WHO 2021 (tcga_who2021.csv), for 1p/19q and the class; empty without it.
        min_callers: How many of MuSE, MuTect2, SomaticSniper and VarScan2 must report a variant.
        genes: Genes that count.
        hotspot_only: Only R132 of IDH1 and R140, R172 of IDH2.
        quiet: Show no progress.
    """
    write_tcga(label_tcga(maf, out, clinical, who2021, min_callers, genes, hotspot_only, quiet), out)


def label_tcga(maf, out: Path, clinical, who2021, min_callers, genes, hotspot_only, quiet) -> pd.DataFrame:
    """The manifest of TCGA's patients; prints what was read, and writes beside `out` where callers disagree."""
    rule = MutationRule(min_callers, tuple(genes), hotspot_only)
    status, disagreements, notes = idh_from_variants(maf, rule, quiet)
    print("\n".join(notes))
    if len(disagreements):
        path = out.with_name(f"{out.stem}_disagreements.csv")
        write_table(disagreements, path)
        print(f"Callers disagree about {len(disagreements)} variants: see {path}")
    facts, notes = read_facts(status.index, clinical, who2021)
    print("".join(f"{note}\n" for note in notes), end="")
    return tcga_manifest(status, facts)


def write_tcga(manifest: pd.DataFrame, out: Path) -> None:
    """Write a manifest, and beside it whose WHO 2021 class names another IDH status."""
    disagreements = find_disagreements(manifest)
    if len(disagreements):
        path = out.with_name(f"{out.stem}_who2021_disagreements.csv")
        write_table(disagreements, path)
        who = ", ".join(disagreements["patient"])
        print(f"WHO 2021 class with another IDH status than by the rule: {len(disagreements)} ({who}); see {path}")
    write_manifest(manifest, out)


COHORTS = {"tcga": PublicCohort(LAYOUT, shipped("tcga"), title="TCGA-GBM and TCGA-LGG of The Cancer Imaging Archive")}
