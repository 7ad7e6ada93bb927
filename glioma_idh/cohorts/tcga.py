"""IDH status of TCGA patients from somatic variant calls."""

import pandas as pd

IDH_GENES = ("IDH1", "IDH2")


def idh_from_mc3(nonsilent_paths, silent_paths) -> pd.DataFrame:
    """IDH status of every patient in the public MC3 variant tables.

    A patient is mutant when IDH1 or IDH2 carries a non-silent variant, wild-type when the patient was sequenced
    (has a row in any table, silent ones too) and neither does. The public MC3 file keeps variants of two callers or
    more only, which is the rule of Wang et al. 2021 (more than one of MuSE, MuTect2, SomaticSniper, VarScan2).

    Args:
        nonsilent_paths: MAF tables (tab-separated, gzipped or not) of non-silent variants.
        silent_paths: MAF tables of silent variants.

    Returns:
        `idh` (0 or 1) and `idh_evidence`, indexed by patient (`TCGA-XX-XXXX`).
    """
    nonsilent = pd.concat([_read_maf(path) for path in nonsilent_paths])
    sequenced = pd.concat([nonsilent, *(_read_maf(path) for path in silent_paths)])
    hits = nonsilent[nonsilent["Hugo_Symbol"].isin(IDH_GENES)]
    evidence = (hits["Hugo_Symbol"] + " " + hits["HGVSp_Short"]).groupby(hits["patient"])
    evidence = evidence.agg(lambda calls: "; ".join(sorted(set(calls)))) + " (MC3: at least 2 callers)"
    status = pd.DataFrame({"idh": 0}, index=pd.Index(sorted(set(sequenced["patient"])), name="patient"))
    status["idh_evidence"] = "sequenced, no IDH variant (MC3)"
    status.loc[evidence.index, "idh"] = 1
    status.loc[evidence.index, "idh_evidence"] = evidence
    return status


def brats2020_tcga_manifest(name_mapping_path, status: pd.DataFrame) -> pd.DataFrame:
    """The BraTS 2020 subjects that are TCGA patients of known IDH status: the cohort of Wang et al. 2021.

    Args:
        name_mapping_path: `name_mapping.csv` of the BraTS 2020 training data.
        status: as `idh_from_mc3` gives it.

    Returns:
        One row a subject: subject, patient, cohort, site, idh, idh_evidence, grade (HGG or LGG), age_years, sex.
    """
    mapping = pd.read_csv(name_mapping_path, dtype=str, keep_default_na=False)
    rows = mapping[mapping["TCGA_TCIA_subject_ID"].isin(status.index)]
    patient = rows["TCGA_TCIA_subject_ID"]
    manifest = pd.DataFrame({"subject": rows["BraTS_2020_subject_ID"], "patient": patient})
    manifest["cohort"] = "brats2020-tcga"
    manifest["site"] = patient.str.split("-").str[1]  # the tissue source site of the TCGA barcode
    manifest = manifest.join(status, on="patient")
    manifest["grade"] = rows["Grade"]
    return manifest.assign(age_years="", sex="").sort_values("subject")


def _read_maf(path) -> pd.DataFrame:
    """Gene, protein change and patient of each row of a MAF table; quotes in it are plain characters."""
    columns = ["Hugo_Symbol", "HGVSp_Short", "Tumor_Sample_Barcode"]
    maf = pd.read_csv(path, sep="\t", quoting=3, comment="#", dtype=str, usecols=columns, keep_default_na=False)
    return maf.assign(patient=maf["Tumor_Sample_Barcode"].str[:12])
