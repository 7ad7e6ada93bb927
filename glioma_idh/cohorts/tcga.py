"""IDH status of TCGA patients from somatic variant calls, by the rule of Wang et al. 2021.

A patient is mutant when more than one of MuSE, MuTect2, SomaticSniper and VarScan2 reports the same non-silent variant
of IDH1 or IDH2, wild-type when sequenced (any row in any file, silent ones too) without such a variant, else unknown.
The calls come as MAF files (Mutation Annotation Format: tab-separated, one row a variant and tumour), of four kinds:

- one caller's, from GDC; the caller stands in the file's name (`TCGA.GBM.muse.*.maf.gz`) or is given (`muse=FILE`);
- GDC's ensemble, with the callers of each variant in the column `callers`;
- the public MC3 file, with them in `CENTERS` (MuTect is taken for MuTect2, VARSCANS and VARSCANI for VarScan2);
- tables made from MC3 without `CENTERS`: being there means two callers or more, which is MC3's own filter.
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
_MC3 = "MC3: at least 2 callers"  # stands among a variant's callers where MC3 does not name them


@dataclass(frozen=True)
class MutationRule:
    """When a variant makes a patient mutant; as it stands, the rule of Wang et al. 2021."""

    min_callers: int = 2  # how many of the four must report the variant: "more than one"
    genes: tuple[str, ...] = ("IDH1", "IDH2")
    hotspot_only: bool = False  # count only changes of HOTSPOTS; differs from the paper if set

    def __post_init__(self):
        if not 1 <= self.min_callers <= len(CALLERS):
            raise InputError(f"1 to {len(CALLERS)} callers", str(self.min_callers), f"They are {', '.join(CALLERS)}.")
        object.__setattr__(self, "genes", tuple(gene.upper() for gene in self.genes))
        if not self.genes or set(self.genes) - set(HOTSPOTS):
            raise InputError("IDH1, IDH2 or both", ", ".join(self.genes) or "no gene", "Correct the genes.")


PAPER_RULE = MutationRule()


def idh_from_variants(
    maf_files: Iterable[str | Path], rule: MutationRule = PAPER_RULE, quiet: bool = True
) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """IDH status of every patient in a set of MAF files: paths, or text `CALLER=FILE`; gzipped or not.

    Calls are matched by patient (the first 12 characters of the barcode, so across a patient's tumours), gene,
    chromosome (`chr2` is `2`), position and alleles. A caller with an asterisk in `callers` or `CENTERS` reported an
    overlapping variant with another allele (so GDC's merging writes it), and is not counted. Quotes are plain text.

    Returns the status, indexed by `patient` (`TCGA-XX-XXXX`): `idh` ("1" or "0") and `idh_evidence`, which says where
    fewer callers than the rule needs see a variant, or the patient. The disagreements: non-silent variants that some,
    but not all, of the callers consulted report, with the patient's verdict. And notes: what was read as what.

    InputError: a file is unreadable, cut off, lacks a column, names an unknown caller or holds no barcodes of TCGA; the
    files' callers cannot meet the rule, or the variants lie on two genome builds.
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
        raise InputError("rows in the MAF files", "headers alone", "Give the files as downloaded.", mafs[0].file)
    if len(builds := builds - {""}) > 1:  # positions match within one genome build only
        both = f"GRCh{' and GRCh'.join(sorted(builds))}"
        raise InputError("variants on one genome build", both, "Give the files of one build at a time.")
    if not all(maf.names_callers for maf in mafs):
        notes.append("MC3 without CENTERS: presence means at least two callers, which is MC3's own filter.")
    if any(maf.callers_column for maf in mafs):
        notes.append("A caller with an asterisk reported another allele there and is not counted.")
    if few := sorted(patient for patient, seen_in in sources.items() if _too_few(seen_in, rule)):
        number, who = f"{len(few)} of {len(sources)} patients", textwrap.shorten(", ".join(few), 100)
        notes.append(f"{number} have rows of fewer than {rule.min_callers} callers, too few to agree: {who}.")
    status = _status(sources, variants.values(), rule)
    return status, _disagreements(variants.values(), consulted, status), notes


def tcga_manifest(status: pd.DataFrame, facts: pd.DataFrame | None = None) -> pd.DataFrame:
    """The manifest of TCGA's patients by `idh_from_variants` and `read_facts`; `site` is the source in the barcode."""
    patients = pd.Series(status.index, status.index)
    known = pd.DataFrame(index=status.index) if facts is None else facts.reindex(status.index, fill_value="")
    known = known.assign(site=patients.str.split("-").str[1], idh=status["idh"], idh_evidence=status["idh_evidence"])
    return with_facts(patients, patients, "tcga", known)


def _consulted_callers(mafs: list[Maf], rule: MutationRule) -> list[str]:
    """Which of the four callers the files can tell about; refuses files that cannot meet the rule."""
    if not mafs:
        raise InputError("MAF files", "none", "Give the files of at least two callers, or MC3.")
    for maf in mafs:
        if rule.min_callers > 2 and not maf.names_callers:
            found = "MC3 without the column CENTERS, which shows no more than two"
            raise InputError(f"{rule.min_callers} callers", found, "Use the full MC3 file or GDC's.", maf.file)
    every = any(maf.callers_column for maf in mafs)
    consulted = [caller for caller in CALLERS if every or any(maf.caller == caller for maf in mafs)]
    if len(consulted) < rule.min_callers and all(maf.names_callers for maf in mafs):
        found = f"only {', '.join(consulted) or 'others'}"
        raise InputError(f"files of {rule.min_callers} of {', '.join(CALLERS)}", found, "Add other callers' files.")
    return consulted


def _add_variant(variants: dict, maf: Maf, line: int, row: bytes, rule: MutationRule) -> str:
    """Enter a row into the variants, (patient, name, callers) by what makes calls the same; its build, "" if silent."""
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
    """Which callers see a variant or a patient, and how many the rule needs."""
    names = sorted(callers.intersection(CALLERS)) or sorted(callers)
    return f"seen by {_count(callers)} ({', '.join(names)}), {rule.min_callers} needed"


def _too_few(seen_in: set[str], rule: MutationRule) -> bool:
    """Whether a patient is in the files of fewer callers than the rule needs."""
    return not seen_in & {"MC3", ENSEMBLE} and len(seen_in.intersection(CALLERS)) < rule.min_callers


def _status(sources: dict[str, set[str]], variants: Iterable[tuple], rule: MutationRule) -> pd.DataFrame:
    """IDH status and its evidence, indexed by patient; `sources` tells where each was seen."""
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
