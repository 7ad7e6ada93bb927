"""Cohorts: python -m glioma_idh.cohorts {check, overlap, table, tcga-idh, brats2020-tcga, upenn-gbm, ucsf-pdgm}

From public downloads to who is mutant, and whether the images can be used. Each command has its own --help.
"""

import sys
from pathlib import Path
from typing import Annotated

import tyro

from glioma_idh.errors import InputError, ending_plainly
from glioma_idh.files import write_table
from glioma_idh.progress import step

Cohort = Annotated[str, tyro.conf.arg(metavar="NAME")]
File = Annotated[Path, tyro.conf.arg(metavar="FILE")]
Folder = Annotated[Path | None, tyro.conf.arg(metavar="DIR")]
Sheet = Annotated[Path | None, tyro.conf.arg(metavar="FILE")]
Table = Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="TABLE")]
Mafs = Annotated[tuple[str, ...], tyro.conf.arg(metavar="FILE [FILE ...]")]
NOT_ALL_READ = 3  # exit status: nothing was found, but not every image could be looked at
Genes = Annotated[tuple[str, ...], tyro.conf.arg(metavar="GENE [GENE ...]")]


def check(
    cohort: Cohort,
    images: Folder = None,
    labels: Sheet = None,
    out: Folder = None,
    all_visits: bool = False,
    jobs: int = -1,
    quiet: bool = False,
) -> None:
    """What is there, what is missing, whether every image can be used, and what can be trained.

    Prints counts per sequence, what was left aside, and the next command; writes cohort.csv (which --cohort of the
    train commands takes), cohort_check.csv (a row an image), ignored.csv and contact_sheet.png. Exit status 3 if no
    image is there or can be read, 1 if no subject can be trained on.

    Args:
        cohort: brats2020-tcga, brats2020, brats2021, brats2023, upenn-gbm, ucsf-pdgm, egd, tcga, phantom, folders
            (a folder a subject), or the path of a cohort table (CSV or XLSX).
        images: The folder as downloaded, or a parent of it; for a cohort table, where its relative paths start.
        labels: The label sheet as downloaded, or a CSV or XLSX with subject and idh; by default what is shipped.
        out: Where the results go; by default cohort_check/NAME.
        all_visits: Take follow-up visits too.
        jobs: Processes; -1 is one a processor.
        quiet: Show no progress.
    """
    import pandas as pd

    from glioma_idh.cohorts import read_cohort
    from glioma_idh.cohorts.checks.images import check_scans, why_none
    from glioma_idh.cohorts.checks.summary import describe
    from glioma_idh.cohorts.folders import Ignored
    from glioma_idh.cohorts.table import SEQUENCES
    from glioma_idh.reporting.figures.canvas import save_figure
    from glioma_idh.reporting.figures.contact_sheet import contact_sheet
    from glioma_idh.reporting.text.next_steps import next_steps, why_nobody

    table, ignored = read_cohort(cohort, images, labels, sequences=SEQUENCES, all_visits=all_visits, quiet=quiet)
    out = out or Path("cohort_check") / Path(cohort).stem
    scans, tiles = check_scans(table, jobs, quiet)
    write_table(table, out / "cohort.csv")
    write_table(scans, out / "cohort_check.csv")
    write_table(pd.DataFrame(ignored, columns=Ignored._fields), out / "ignored.csv")
    shown = [tile for tile in tiles if tile.thumbnails] or tiles
    name = table["cohort"].iloc[0]
    if shown:
        with step("drawing the contact sheet", quiet):
            save_figure(contact_sheet(shown, cohort=name, synthetic=name == "phantom"), out, "contact_sheet")
    print(describe(table, ignored, scans))
    print(next_steps(table, scans, cohort if cohort == "phantom" else str(out / "cohort.csv")))
    print(f"Everything is in {out}")
    if reason := why_none(table, scans):
        print(reason, file=sys.stderr)
        sys.exit(NOT_ALL_READ)
    if reason := why_nobody(table, scans):
        sys.exit(reason)


def overlap(a: Table, b: Table, no_images: bool = False, jobs: int = -1, quiet: bool = False) -> None:
    """The same patient in two cohort tables, also under other names, or the same image (hash of its voxels).

    Prints a row a pair as CSV, then how many images were compared and which could not be. Exit status 1 if there is
    any pair; 3 if there is none but an image could not be compared.

    Args:
        a: A cohort table (CSV or XLSX).
        b: Another.
        no_images: Compare the names alone, and read no image.
        jobs: Processes; -1 is one a processor.
        quiet: Show no progress.
    """
    import pandas as pd

    from glioma_idh.cohorts.overlap import describe_compared, nameless, shared_images, shared_patients
    from glioma_idh.cohorts.table import read_table

    tables = read_table(a), read_table(b)
    pairs, errors = shared_patients(*tables), []
    if not no_images:
        of_images, num_compared, errors = shared_images(*tables, jobs, quiet)
        pairs = pd.concat([pairs, of_images], ignore_index=True)
    print(pairs.to_csv(index=False), end="")
    if not no_images:
        print(describe_compared(num_compared, errors), file=sys.stderr)
    as_far = ", as far as could be compared" if errors else ""
    print(f"{pairs['patient'].nunique()} patients in both{as_far}.", file=sys.stderr)
    if unknown := sum(map(nameless, tables)):
        text = f"{unknown} subjects are known by their BraTS id alone: whether they are in both, too, cannot be told."
        print(text, file=sys.stderr)
    if len(pairs) or errors:
        sys.exit(1 if len(pairs) else NOT_ALL_READ)


def table(cohort: Table, out: Sheet = None) -> None:
    """The "Table 1" of a manuscript: age, sex, grade, site and what else is known, by IDH status, with missing counts.

    Args:
        cohort: A cohort table (CSV or XLSX).
        out: Where to write it: .csv, .md, .tex or .html; by default it is printed only.
    """
    from glioma_idh.cohorts.characteristics import characteristics
    from glioma_idh.cohorts.table import read_table

    made = characteristics(read_table(cohort))
    print(made.tabulate(tablefmt="github"))
    if out is not None:
        _write_table_1(made, out)


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
    status = _status(maf, out, min_callers, genes, hotspot_only, quiet)
    _write_tcga(_with_facts(status, clinical, who2021), out)


def brats2020_tcga(
    name_mapping: File,
    maf: Mafs,
    out: File,
    clinical: Sheet = None,
    who2021: Sheet = None,
    min_callers: int = 2,
    genes: Genes = ("IDH1", "IDH2"),
    hotspot_only: bool = False,
    quiet: bool = False,
) -> None:
    """The manifest of the TCGA patients in BraTS 2020, the cohort of Wang et al. 2021.

    Args:
        name_mapping: name_mapping.csv of the BraTS 2020 training data.
        maf: As for tcga-idh.
        out: The CSV to write.
        clinical: As for tcga-idh.
        who2021: As for tcga-idh.
        min_callers: How many of MuSE, MuTect2, SomaticSniper and VarScan2 must report a variant.
        genes: Genes that count.
        hotspot_only: Only R132 of IDH1 and R140, R172 of IDH2.
        quiet: Show no progress.
    """
    from glioma_idh.cohorts.brats import brats2020_manifest, tcga_subjects

    tcga = _with_facts(_status(maf, out, min_callers, genes, hotspot_only, quiet), clinical, who2021)
    _write_tcga(tcga_subjects(brats2020_manifest(name_mapping, tcga)), out)


def upenn_gbm(clinical: File, availability: File, out: File) -> None:
    """The manifest of UPENN-GBM from its two sheets.

    Args:
        clinical: UPENN-GBM_clinical_info_v2.1.csv.
        availability: UPENN-GBM_data_availability.csv.
        out: The CSV to write.
    """
    from glioma_idh.cohorts.upenn import upenn_manifest

    _write_manifest(upenn_manifest(clinical, availability), out)


def ucsf_pdgm(metadata: File, out: File) -> None:
    """The manifest of UCSF-PDGM from its sheet.

    Args:
        metadata: UCSF-PDGM-metadata_v2.csv, or a later version.
        out: The CSV to write.
    """
    from glioma_idh.cohorts.ucsf import ucsf_manifest

    _write_manifest(ucsf_manifest(metadata), out)


def _status(maf, out: Path, min_callers: int, genes, hotspot_only: bool, quiet: bool):
    """IDH status of TCGA patients; prints what was read and writes where callers disagree."""
    from glioma_idh.cohorts.tcga import MutationRule, idh_from_variants

    rule = MutationRule(min_callers, tuple(genes), hotspot_only)
    status, disagreements, notes = idh_from_variants(maf, rule, quiet)
    print("\n".join(notes))
    if len(disagreements):
        path = out.with_name(f"{out.stem}_disagreements.csv")
        write_table(disagreements, path)
        print(f"Callers disagree about {len(disagreements)} variants: see {path}")
    return status


def _with_facts(status, clinical: Path | None, who2021: Path | None):
    """The manifest of TCGA patients with what the clinical tables tell; prints who is missing in them."""
    from glioma_idh.cohorts.tcga import tcga_manifest
    from glioma_idh.cohorts.tcga_clinical import read_facts

    facts, notes = read_facts(status.index, clinical, who2021)
    print("".join(f"{note}\n" for note in notes), end="")
    return tcga_manifest(status, facts)


def _write_tcga(manifest, out: Path) -> None:
    """Write a manifest, and beside it whose WHO 2021 class names another IDH status."""
    from glioma_idh.cohorts.tcga_clinical import find_disagreements

    disagreements = find_disagreements(manifest)
    if len(disagreements):
        path = out.with_name(f"{out.stem}_who2021_disagreements.csv")
        write_table(disagreements, path)
        who = ", ".join(disagreements["patient"])
        print(f"WHO 2021 class with another IDH status than by the rule: {len(disagreements)} ({who}); see {path}")
    _write_manifest(manifest, out)


def _write_manifest(manifest, path: Path) -> None:
    """Write a manifest and say how many of which status there are."""

    write_table(manifest, path)
    counts = manifest["idh"].value_counts()
    unknown = f", {counts['']} unknown" if "" in counts else ""
    print(f"{path}: {len(manifest)} subjects, {counts.get('1', 0)} mutant, {counts.get('0', 0)} wild-type{unknown}")


def _write_table_1(made, out: Path) -> None:
    from glioma_idh.files import written_whole

    formats = {".csv": made.tableone.to_csv, ".tex": made.tableone.to_latex, ".html": made.tableone.to_html}
    if out.suffix not in (*formats, ".md"):
        raise InputError("--out with .csv, .md, .tex or .html", out.name, "Choose one of those endings.")
    with written_whole(out) as part:
        if out.suffix == ".md":
            part.write_text(made.tabulate(tablefmt="github") + "\n", encoding="utf-8")
        else:
            formats[out.suffix](part)


COMMANDS = (check, overlap, table, tcga_idh, brats2020_tcga, upenn_gbm, ucsf_pdgm)


def main() -> None:
    """The command line."""
    commands = {command.__name__.replace("_", "-"): command for command in COMMANDS}
    config = (tyro.conf.FlagCreatePairsOff,)
    prog = "python -m glioma_idh.cohorts"
    with ending_plainly():
        tyro.extras.subcommand_cli_from_dict(commands, prog=prog, description=__doc__, config=config)


if __name__ == "__main__":
    main()
