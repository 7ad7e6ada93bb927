"""The commands of the cohorts: check, overlap, table, tcga-idh, and those of the registry, which make manifests."""

import logging
import sys
from pathlib import Path
from typing import Annotated

import pandas as pd
import tyro

from glioma_idh import cohorts
from glioma_idh.cohorts.bakas import tcga_idh
from glioma_idh.cohorts.folders import Ignored
from glioma_idh.cohorts.manifests import Sheet
from glioma_idh.cohorts.table import SEQUENCES, read_table
from glioma_idh.errors import InputError
from glioma_idh.files import write_table, written_whole
from glioma_idh.progress import step
from glioma_idh.record import into, recorded

ABOUT = "From public downloads to who is mutant, and whether the images can be used. Each command has its own --help."
OWN = "folders (a folder a subject), or the path of a cohort table (CSV or XLSX)."
Cohort = Annotated[str, tyro.conf.arg(metavar="NAME", help=f"{', '.join((*cohorts.PUBLIC, 'phantom'))}, {OWN}")]
Folder = Annotated[Path | None, tyro.conf.arg(metavar="DIR")]
Table = Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="TABLE")]
NOT_ALL_READ = 3  # exit status: nothing was found, but not every image could be looked at
logger = logging.getLogger(cohorts.__name__)  # this module is called __main__


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
        cohort: One of the registry.
        images: The folder as downloaded, or a parent of it; for a cohort table, where its relative paths start.
        labels: The label sheet as downloaded, or a CSV or XLSX with subject and idh; by default what is shipped.
        out: Where the results go; by default cohort_check/NAME.
        all_visits: Take follow-up visits too.
        jobs: Processes; -1 is one a processor.
        quiet: Show no progress.
    """
    from glioma_idh.cohorts.checks.images import check_scans, why_none
    from glioma_idh.cohorts.checks.summary import describe
    from glioma_idh.reporting.figures.canvas import save_figure
    from glioma_idh.reporting.figures.contact_sheet import contact_sheet
    from glioma_idh.reporting.text.next_steps import next_steps, why_nobody

    settings = {"sequences": SEQUENCES, "all_visits": all_visits, "quiet": quiet}
    table, ignored = cohorts.read_cohort(cohort, images, labels, **settings)
    out = out or Path("cohort_check") / Path(cohort).stem
    into(out)
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
        logger.warning(reason)
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
    from glioma_idh.cohorts.shared_patients import compare

    pairs, errors, said = compare(read_table(a), read_table(b), not no_images, jobs, quiet)
    print(pairs.to_csv(index=False), end="")
    logger.info(said)
    if len(pairs) or errors:
        sys.exit(1 if len(pairs) else NOT_ALL_READ)


def table(cohort: Table, out: Sheet = None) -> None:
    """The "Table 1" of a manuscript: age, sex, grade, site and what else is known, by IDH status, with missing counts.

    Args:
        cohort: A cohort table (CSV or XLSX).
        out: Where to write it: .csv, .md, .tex or .html; by default it is printed only.
    """
    from glioma_idh.cohorts.characteristics import characteristics

    made = characteristics(read_table(cohort))
    markdown = made.tabulate(tablefmt="github")
    print(markdown)
    if out is None:
        return
    formats = {".csv": made.tableone.to_csv, ".tex": made.tableone.to_latex, ".html": made.tableone.to_html}
    formats[".md"] = lambda part: part.write_text(f"{markdown}\n", encoding="utf-8")
    if out.suffix not in formats:
        raise InputError("--out with .csv, .md, .tex or .html", out.name, "Choose one of those endings.")
    with written_whole(out) as part:
        formats[out.suffix](part)


def main() -> None:
    commands = {"check": check, "overlap": overlap, "table": table, "tcga-idh": tcga_idh}
    commands |= {name: made for name in cohorts.PUBLIC if (made := cohorts.public_cohort(name).command)}
    prog, config = "python -m glioma_idh.cohorts", (tyro.conf.FlagCreatePairsOff,)
    description = f"Cohorts: {prog} {{{', '.join(commands)}}}\n\n{ABOUT}\n"
    with recorded("glioma_idh.cohorts"):
        tyro.extras.subcommand_cli_from_dict(commands, prog=prog, description=description, config=config)


if __name__ == "__main__":
    main()
