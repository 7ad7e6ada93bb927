"""The report of finished runs, on one page: python -m glioma_idh.report RUN_DIR [RUN_DIR ...] --out report.html

One run gives the whole account: how it stands to age, lesion volume and grade, intervals, calibration, decision
curve, strata, mistakes, methods, checklists. Several give their comparison. --predictions takes a table that another
program made (columns subject, truth or idh, score; optionally patient, split, grade, age_years, sex, site, lesion_ml,
each by any name that a cohort table may give it; what is not read is listed). The
page is one file that needs no network; figures, tables and numbers lie beside it in a folder.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from glioma_idh.errors import InputError
from glioma_idh.progress import step
from glioma_idh.record import into, recorded


@dataclass(frozen=True)
class Wanted:
    """What to report on, and where to."""

    run_dirs: Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="RUN_DIR")] = ()
    """Folders of finished runs."""
    predictions: Annotated[Path | None, tyro.conf.arg(metavar="FILE.csv")] = None
    """A predictions table of any program, instead of runs."""
    reference: Annotated[Path | None, tyro.conf.arg(metavar="RUN_DIR")] = None
    """Of several runs, the one that all others are compared with; by default every pair is compared."""
    out: Annotated[Path | None, tyro.conf.arg(metavar="FILE.html")] = None
    """The page; by default report.html in the run's folder, beside several runs' folders, or beside the table."""


def report_runs(run_dirs: Iterable[str | Path], out: Path | None = None, reference: Path | None = None) -> Path:
    """The page of a finished run, or of the comparison of several, for which a folder that holds them may stand.

    What is no finished run, or cannot be compared, is an InputError.
    """
    from glioma_idh.reporting.report import files_folder, write_comparison, write_report
    from glioma_idh.runs import REPORT, list_runs

    folders = list_runs(run_dirs)
    into(files_folder(out or (folders[0].resolve().parent if len(folders) > 1 else folders[0]) / REPORT))
    if len(folders) > 1:
        return write_comparison(folders, out, reference)
    if reference is not None:
        raise InputError("several runs where there is a --reference", "one", "Name the others too, or leave it out.")
    return write_report(folders[0], out)


def report_predictions(file: Path, out: Path | None = None) -> Path:
    """The report of a predictions table alone, by default `report.html` beside it; a bad table is an InputError."""
    from glioma_idh.reporting.report import files_folder, write_table_report
    from glioma_idh.runs import REPORT

    into(files_folder(out or Path(file).parent / REPORT))
    return write_table_report(Path(file), out)


def main() -> None:
    """The command line."""
    config = (tyro.conf.FlagCreatePairsOff,)
    wanted = tyro.cli(Wanted, prog="python -m glioma_idh.report", description=__doc__, config=config)
    with recorded("glioma_idh.report", wanted):
        if bool(wanted.run_dirs) == (wanted.predictions is not None):
            found = "both" if wanted.run_dirs else "neither"
            raise InputError("folders of runs, or --predictions FILE.csv", found, "Name the one or the other.")
        if wanted.predictions is not None and wanted.reference is not None:
            raise InputError("several runs where there is a --reference", "a table", "Leave --reference out.")
        with step("drawing the report"):
            if wanted.predictions is None:
                page = report_runs(wanted.run_dirs, wanted.out, wanted.reference)
            else:
                page = report_predictions(wanted.predictions, wanted.out)
        print(f"The report is {page}")


if __name__ == "__main__":
    main()
