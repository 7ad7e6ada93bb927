"""Determine the IDH status of TCGA patients from somatic variant calls, by the rule of Wang et al. 2021.

A patient is mutant if more than one of the callers MuSE, MuTect2, SomaticSniper and VarScan2 reports the same
non-silent variant of IDH1 or IDH2; wild-type if sequenced (any row in any file, silent variants included) without such
a variant; and otherwise unknown. The calls are read from MAF files (Mutation Annotation Format: tab-separated, one row
per variant and tumour) of four kinds:

- GDC files of one caller; the caller is part of the file name (`TCGA.GBM.muse.*.maf.gz`) or given (`muse=FILE`);
- GDC's ensemble file, with the callers of each variant in the column `callers`;
- the public MC3 file, with the callers in `CENTERS` (MuTect counts as MuTect2, VARSCANS and VARSCANI as VarScan2);
- tables derived from MC3 without `CENTERS`, which contain only variants of two or more callers (MC3's own filter).
"""

import re
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from glioma_idh.cohorts.maf import CALLERS, ENSEMBLE, Maf, read_callers, read_header, scan_maf
from glioma_idh.cohorts.manifests import with_facts
from glioma_idh.errors import InputError
from glioma_idh.progress import progress

HOTSPOTS = {"IDH1": ("R132",), "IDH2": ("R140", "R172")}
NON_SILENT = (
    *("Missense_Mutation", "Nonsense_Mutation", "Nonstop_Mutation", "Splice_Site", "Translation_Start_Site"),
    *("Frame_Shift_Del", "Frame_Shift_Ins", "In_Frame_Del", "In_Frame_Ins"),
)
SILENT = (
    *("Silent", "Splice_Region", "3'UTR", "5'UTR", "3'Flank", "5'Flank", "Intron", "IGR", "RNA", "lincRNA"),
    *("Targeted_Region", "De_novo_Start_InFrame", "De_novo_Start_OutOfFrame", "Unknown"),
)
DISAGREEMENT_COLUMNS = ["patient", "variant", "reported_by", "not_reported_by", "verdict"]
_MC3 = "MC3: at least 2 callers"  # listed as the caller of a variant if MC3 does not list the callers


@dataclass(frozen=True)
class MutationRule:
    """The condition under which a tumour counts as IDH-mutant. The default is the rule of Wang et al. 2021."""

    min_callers: int = 2  # number of the four callers that must report the variant: "more than one"
    genes: tuple[str, ...] = ("IDH1", "IDH2")
    hotspot_only: bool = False  # count only changes in HOTSPOTS; differs from the paper if True

    def __post_init__(self):
        if not 1 <= self.min_callers <= len(CALLERS):
            advice = f"The callers are {', '.join(CALLERS)}."
            raise InputError(f"1 to {len(CALLERS)} callers", str(self.min_callers), advice)
        object.__setattr__(self, "genes", tuple(gene.upper() for gene in self.genes))
        if not self.genes or set(self.genes) - set(HOTSPOTS):
            raise InputError("IDH1, IDH2 or both", ", ".join(self.genes) or "no gene", "Correct the genes.")


PAPER_RULE = MutationRule()


def idh_from_variants(
    maf_files: Iterable[str | Path], rule: MutationRule = PAPER_RULE, quiet: bool = True
) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Determine the IDH status of every patient in a set of MAF files.

    Calls are matched by patient (the first 12 characters of the barcode, so across all tumours of a patient), gene,
    chromosome (`chr2` is `2`), position and alleles. A caller with an asterisk in `callers` or `CENTERS` reported an
    overlapping variant with another allele (GDC's notation) and is not counted. Quotation marks are plain text.

    Args:
        maf_files: paths, or text `CALLER=FILE`; gzipped or not.
        rule: the condition for a mutant.
        quiet: show no progress.

    Returns:
        status: indexed by `patient` (`TCGA-XX-XXXX`), with `idh` ("1" or "0") and `idh_evidence`, which also mentions
            variants or patients reported by fewer callers than the rule requires.
        disagreements: non-silent variants that some but not all of the callers report, with the patient's status.
        notes: sentences on how each file was read.

    Raises:
        InputError: a file is unreadable or truncated, lacks a column, contains an unknown caller or no TCGA barcodes;
            the callers of the files cannot fulfil the rule; or the variants are on two genome builds.
    """
    mafs = [read_header(file) for file in maf_files]
    consulted = _consulted_callers(mafs, rule)
    variants: dict = {}
    sources: dict = {}
    builds, notes = set(), []
    size = sum(Path(maf.file).stat().st_size for maf in mafs)
    with progress(total=size, what="variants", unit="B", quiet=quiet, unit_scale=True) as bar:
        for maf in mafs:
            num_rows, found, rows = scan_maf(maf, rule.genes, bar)
            for patient in found:
                sources.setdefault(patient, set()).add(maf.source)
            notes.append(f"{maf.file}: {maf.kind}; {num_rows} rows of {len(found)} patients.")
            for line, row in rows:
                builds.add(_add_variant(variants, maf, line, row, rule))
    if not sources:
        raise InputError("rows in the MAF files", "headers only", "Give the files as downloaded.", mafs[0].file)
    if len(builds := builds - {""}) > 1:  # positions can only be compared within one genome build
        both = f"GRCh{' and GRCh'.join(sorted(builds))}"
        raise InputError("variants on one genome build", both, "Give only the files of one build.")
    if not all(maf.names_callers for maf in mafs):
        notes.append("MC3 without CENTERS: all its variants count as reported by two callers, which is MC3's filter.")
    if any(maf.callers_column for maf in mafs):
        notes.append("A caller with an asterisk reported another allele and is not counted.")
    if few := sorted(patient for patient, seen_in in sources.items() if _too_few(seen_in, rule)):
        number, who = f"{len(few)} of {len(sources)} patients", textwrap.shorten(", ".join(few), 100)
        notes.append(f"{number} are in files of fewer than {rule.min_callers} callers, too few to be mutant: {who}.")
    status = _status(sources, variants.values(), rule)
    return status, _disagreements(variants.values(), consulted, status), notes


def tcga_manifest(status: pd.DataFrame, facts: pd.DataFrame | None = None) -> pd.DataFrame:
    """Make the TCGA manifest from the results of `idh_from_variants` and `read_facts`.

    `site` is the tissue source site in the barcode.
    """
    patients = pd.Series(status.index, status.index)
    known = pd.DataFrame(index=status.index) if facts is None else facts.reindex(status.index, fill_value="")
    known = known.assign(site=patients.str.split("-").str[1], idh=status["idh"], idh_evidence=status["idh_evidence"])
    return with_facts(patients, patients, "tcga", known)


def _consulted_callers(mafs: list[Maf], rule: MutationRule) -> list[str]:
    """List the callers that the files cover; InputError for files that cannot fulfil the rule."""
    if not mafs:
        raise InputError("MAF files", "none", "Give the files of at least two callers, or MC3.")
    for maf in mafs:
        if rule.min_callers > 2 and not maf.names_callers:
            found = "MC3 without the column CENTERS, which stands for two callers"
            raise InputError(f"{rule.min_callers} callers", found, "Use the full MC3 file or GDC files.", maf.file)
    every = any(maf.callers_column for maf in mafs)
    consulted = [caller for caller in CALLERS if every or any(maf.caller == caller for maf in mafs)]
    if len(consulted) < rule.min_callers and all(maf.names_callers for maf in mafs):
        found = f"only {', '.join(consulted) or 'others'}"
        raise InputError(f"files of {rule.min_callers} of {', '.join(CALLERS)}", found, "Add files of other callers.")
    return consulted


def _add_variant(variants: dict, maf: Maf, line: int, row: bytes, rule: MutationRule) -> str:
    """Add a row to the variants and return its genome build, "" if it is not counted.

    `variants` maps (patient, gene, chromosome, position, alleles) to (patient, name, callers).
    """
    cell = dict(zip(maf.columns, row.decode(errors="replace").split("\t"), strict=True))
    gene, change, effect = cell["Hugo_Symbol"], cell["HGVSp_Short"], cell["Variant_Classification"]
    if effect not in NON_SILENT + SILENT:
        raise maf.bad_cell(line, "Variant_Classification", "a class of the MAF format", effect, "Correct it.")
    hotspot = rf"(p\.)?({'|'.join(HOTSPOTS.get(gene, ()))})(?!\d)"
    if effect in SILENT or (rule.hotspot_only and not re.match(hotspot, change)):
        return ""
    chromosome, position = cell["Chromosome"].removeprefix("chr"), cell["Start_Position"]
    if not position.isdigit():
        raise maf.bad_cell(line, "Start_Position", "a whole number", position, "Correct it.")
    patient, alleles = cell["Tumor_Sample_Barcode"][:12], (cell["Reference_Allele"], cell["Tumor_Seq_Allele2"])
    name = f"{gene} {change}" if change.strip(".") else f"{gene} {chromosome}:{position} {'>'.join(alleles)}"
    *_, callers = variants.setdefault((patient, gene, chromosome, position, *alleles), (patient, name, set()))
    column = maf.callers_column
    callers.update(read_callers(maf, line, cell[column]) if column else {maf.caller or _MC3})
    return re.sub(r"\D", "", cell.get("NCBI_Build", "")).replace("19", "37")


def _count(callers: set[str]) -> str:
    number = len(callers.intersection(CALLERS))
    return f"{number} caller{'s' * (number > 1)}" if number else "none of the four callers"


def _seen_by(callers: set[str], rule: MutationRule) -> str:
    """Describe which callers report a variant or patient, and how many the rule requires."""
    names = sorted(callers.intersection(CALLERS)) or sorted(callers)
    return f"seen by {_count(callers)} ({', '.join(names)}), {rule.min_callers} needed"


def _too_few(seen_in: set[str], rule: MutationRule) -> bool:
    """Return whether a patient is in the files of fewer callers than the rule requires."""
    return not seen_in & {"MC3", ENSEMBLE} and len(seen_in.intersection(CALLERS)) < rule.min_callers


def _status(sources: dict[str, set[str]], variants: Iterable[tuple], rule: MutationRule) -> pd.DataFrame:
    """Return IDH status and evidence, indexed by patient; `sources` has the callers whose files contain the patient."""
    agreed: dict = {}
    alone: dict = {}
    for patient, name, callers in variants:
        if _MC3 in callers or len(callers.intersection(CALLERS)) >= rule.min_callers:
            agreed.setdefault(patient, set()).add(f"{name} ({_MC3 if _MC3 in callers else _count(callers)})")
        else:
            alone.setdefault(patient, set()).add(f"{name} {_seen_by(callers, rule)}")
    genes = "IDH" if set(rule.genes) == set(HOTSPOTS) else " or ".join(rule.genes)
    wanted, rows = f"{genes} hotspot variant" if rule.hotspot_only else f"{genes} variant", []
    for patient, seen_in in sorted(sources.items()):
        sequenced = f"sequenced, no {wanted}" + (" (MC3)" if seen_in == {"MC3"} else "")
        too_few = [f"patient {_seen_by(seen_in, rule)}"] if _too_few(seen_in, rule) else []
        evidence = sorted(agreed.get(patient, ())) or [sequenced, *too_few, *sorted(alone.get(patient, ()))]
        rows.append((patient, str(int(patient in agreed)), "; ".join(evidence)))
    return pd.DataFrame(rows, columns=["patient", "idh", "idh_evidence"]).set_index("patient")


def _disagreements(variants: Iterable[tuple], consulted: list[str], status: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for patient, name, callers in variants:
        reported = sorted(callers - {_MC3})
        missing = [caller for caller in consulted if caller not in callers]
        if reported and missing:
            verdict = "mutant" if status.loc[patient, "idh"] == "1" else "wild-type"
            rows.append((patient, name, ", ".join(reported), ", ".join(missing), verdict))
    return pd.DataFrame(sorted(rows), columns=DISAGREEMENT_COLUMNS)
