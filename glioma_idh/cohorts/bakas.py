"""The pre-operative TCGA-GBM and TCGA-LGG images with lesion masks (Bakas et al., Scientific Data 2017)."""

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
    """Determine the IDH status of TCGA patients from somatic variant calls (MAF), by the rule of Wang et al. 2021.

    Writes a manifest (a table of subjects with IDH status), OUT_disagreements.csv if callers disagree, and
    OUT_who2021_disagreements.csv if a WHO 2021 class contradicts the IDH status, which is not changed.

    Args:
        maf: MAF files, gzipped or not: of GDC (per caller, as CALLER=FILE if the name lacks it; or ensemble) or MC3.
        out: CSV file to write.
        clinical: The TCGA Clinical Data Resource (tcga_cdr.csv) with age, sex, grade and histology.
        who2021: A WHO 2021 reclassification (tcga_who2021.csv) with 1p/19q and class.
        min_callers: How many of MuSE, MuTect2, SomaticSniper and VarScan2 must report a variant.
        genes: Genes to consider.
        hotspot_only: Consider only R132 of IDH1 and R140 and R172 of IDH2.
        quiet: Show no progress.
    """
    write_tcga(label_tcga(maf, out, clinical, who2021, min_callers, genes, hotspot_only, quiet), out)


def label_tcga(
    maf: tuple[str, ...],
    out: Path,
    clinical: Path | None,
    who2021: Path | None,
    min_callers: int,
    genes: tuple[str, ...],
    hotspot_only: bool,
    quiet: bool,
) -> pd.DataFrame:
    """Return the TCGA manifest; print how the files were read, and write disagreements of callers next to `out`.

    The arguments are those of `tcga_idh`.
    """
    rule = MutationRule(min_callers, tuple(genes), hotspot_only)
    status, disagreements, notes = idh_from_variants(maf, rule, quiet)
    print("\n".join(notes))
    if len(disagreements):
        path = out.with_name(f"{out.stem}_disagreements.csv")
        write_table(disagreements, path)
        print(f"The callers disagree about {len(disagreements)} variants; see {path}")
    facts, notes = read_facts(status.index, clinical, who2021)
    print("".join(f"{note}\n" for note in notes), end="")
    return tcga_manifest(status, facts)


def write_tcga(manifest: pd.DataFrame, out: Path) -> None:
    """Write a manifest, and next to it the subjects whose WHO 2021 class contradicts their IDH status."""
    disagreements = find_disagreements(manifest)
    if len(disagreements):
        path = out.with_name(f"{out.stem}_who2021_disagreements.csv")
        write_table(disagreements, path)
        who = ", ".join(disagreements["patient"])
        print(f"WHO 2021 classes that contradict the IDH status: {len(disagreements)} ({who}); see {path}")
    write_manifest(manifest, out)


COHORTS = {"tcga": PublicCohort(LAYOUT, shipped("tcga"), title="TCGA-GBM and TCGA-LGG of The Cancer Imaging Archive")}
