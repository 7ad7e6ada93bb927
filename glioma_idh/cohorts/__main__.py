"""The commands for cohorts: check, overlap, table, and those that make the shipped tables of labels (manifests)."""

import logging
import sys
from pathlib import Path
from typing import Annotated

import pandas as pd
import tyro

from glioma_idh import cohorts
from glioma_idh.cohorts.bakas import tcga_idh
from glioma_idh.cohorts.folders import Ignored
from glioma_idh.cohorts.table import SEQUENCES, read_table
from glioma_idh.command_line import SWITCH, option, parse, subcommands
from glioma_idh.errors import InputError
from glioma_idh.files import require_file_writable, write_table, written_whole
from glioma_idh.progress import step
from glioma_idh.record import into, recorded

ABOUT = """Cohorts: check images and labels, compare cohorts, and make the tables of a manuscript.

Every command has its own help, such as python -m glioma_idh.cohorts check --help.
"""
OWN = "folders (your own, one per subject), or the path of a cohort table (CSV or XLSX)."
Cohort = Annotated[str, tyro.conf.arg(metavar="NAME", help=f"{', '.join((*cohorts.PUBLIC, 'phantom'))}, {OWN}")]
Folder = Annotated[Path | None, option("DIR", "")]
Table = Annotated[Path, tyro.conf.Positional, option("TABLE")]
Switch = Annotated[bool, SWITCH]
NOT_ALL_READ = 3  # exit status: nothing was found, but not every image could be read
logger = logging.getLogger(cohorts.__name__)  # this module is called __main__


def check(
    cohort: Cohort,
    images: Folder = None,
    labels: Annotated[Path | None, option("FILE", "the labels shipped with the package")] = None,
    out: Annotated[Path | None, option("DIR", "cohort_check/NAME")] = None,
    all_visits: Switch = False,
    jobs: Annotated[int, option("INT", "number of CPU cores")] = -1,
    quiet: Switch = False,
) -> None:
    """Check whether all images and labels of a cohort can be used, and what can be trained with them.

    Prints the number of images per sequence, the files that are not used, and the next command. Writes cohort.csv (for
    the --cohort option of train and predict), cohort_check.csv (one row per image), ignored.csv and contact_sheet.png.
    The exit status is 3 if there is no readable image, and 1 if no subject can be used for training.

    Args:
        cohort: Name or table of the cohort.
        images: Folder of the scans as downloaded. For a cohort table, the folder that its relative paths start from.
        labels: Label sheet as downloaded, or a CSV or XLSX file with the columns subject and idh.
        out: Folder for the results.
        all_visits: Use follow-up visits too; without this option, only the first visit of each patient is used.
        jobs: Number of parallel processes.
        quiet: Show no progress bars or progress lines.
    """
    from glioma_idh.cohorts.checks.images import why_none
    from glioma_idh.cohorts.checks.summary import describe
    from glioma_idh.reporting.figures.canvas import save_figure
    from glioma_idh.reporting.figures.contact_sheet import contact_sheet
    from glioma_idh.reporting.text.next_steps import next_steps, why_nobody

    settings: dict = {"sequences": SEQUENCES, "all_visits": all_visits, "quiet": quiet}
    out = out or Path("cohort_check") / Path(cohort).stem
    into(out)
    table, ignored = cohorts.read(cohort, images, labels, **settings)
    scans, tiles = cohorts.check(table, jobs, quiet)
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
    print(f"The results are in {out}")
    if reason := why_none(table, scans):
        logger.warning(reason)
        sys.exit(NOT_ALL_READ)
    if reason := why_nobody(table, scans):
        sys.exit(reason)


def overlap(
    a: Table,
    b: Table,
    no_images: Switch = False,
    jobs: Annotated[int, option("INT", "number of CPU cores")] = -1,
    quiet: Switch = False,
) -> None:
    """Find patients that are in two cohort tables, also under different names, or images with identical voxels.

    Prints one CSV row per pair, then the number of images compared and the images that could not be compared. The exit
    status is 1 if there is any pair, and 3 if there is none but some images could not be compared.

    Args:
        a: First cohort table (CSV or XLSX), with the columns subject and idh; idh may be empty.
        b: Second cohort table, likewise.
        no_images: Compare only the names of the patients; without this option, the images are compared too.
        jobs: Number of parallel processes.
        quiet: Show no progress bars or progress lines.
    """
    from glioma_idh.cohorts.shared_patients import compare

    tables = []
    for file in (a, b):
        try:
            tables.append(read_table(file))
        except InputError as error:
            advice = f"{error.advice} overlap needs cohort tables, such as the cohort.csv in the folder of a run."
            raise InputError(error.expected, error.found, advice, error.file, error.subject) from error
    pairs, errors, said = compare(*tables, not no_images, jobs, quiet)
    print(pairs.to_csv(index=False), end="")
    logger.info(said)
    if len(pairs) or errors:
        sys.exit(1 if len(pairs) else NOT_ALL_READ)


def table(cohort: Table, out: Annotated[Path | None, option("FILE", "it is only printed")] = None) -> None:
    """Make Table 1 of a manuscript: age, sex, grade, site and other known characteristics by IDH status.

    Args:
        cohort: Cohort table (CSV or XLSX).
        out: File for the table, ending in .csv, .md, .tex or .html.
    """
    from glioma_idh.cohorts.characteristics import characteristics_table

    if out is not None:
        require_file_writable(out)
    made = characteristics_table(read_table(cohort))
    markdown = made.tabulate(tablefmt="github")
    print(markdown)
    if out is None:
        return
    formats = {".csv": made.tableone.to_csv, ".tex": made.tableone.to_latex, ".html": made.tableone.to_html}
    formats[".md"] = lambda part: part.write_text(f"{markdown}\n", encoding="utf-8")
    if out.suffix not in formats:
        raise InputError("--out ending in .csv, .md, .tex or .html", out.name, "Choose one of these endings.")
    with written_whole(out) as part:
        formats[out.suffix](part)


OPTIONS = {"check": check, "overlap": overlap, "table": table, "tcga-idh": tcga_idh}
OPTIONS |= {name: made for name in cohorts.PUBLIC if (made := cohorts.public_cohort(name).command)}


def main() -> None:
    """Run the command."""
    with recorded("glioma_idh.cohorts"):
        parse(subcommands(OPTIONS), "glioma_idh.cohorts", ABOUT)


if __name__ == "__main__":
    main()
