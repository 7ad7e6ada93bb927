"""Write the report of finished runs, or of a predictions table, as one HTML page.

Example: python -m glioma_idh.report RUN_DIR [RUN_DIR ...] --out report.html

The report of one run compares its performance with that of age, lesion volume and grade; shows confidence intervals,
calibration, decision curve, subgroups and wrong predictions; and contains a methods section and reporting checklists.
The report of several runs compares them. --predictions reports on a table from any program, with the columns subject,
truth (or idh) and score, and optionally patient, split, grade, age_years, sex, site and lesion_ml; other names of these
columns are recognised as in a cohort table, and columns that are not used are listed. The page needs no network
connection. Its figures, tables and numbers are also written to a folder beside it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from glioma_idh.command_line import option, parse
from glioma_idh.errors import InputError
from glioma_idh.files import require_file_writable
from glioma_idh.progress import step
from glioma_idh.record import into, recorded


@dataclass(frozen=True)
class Wanted:
    """The runs or the table to report on, and the file of the report."""

    run_dirs: Annotated[tuple[Path, ...], tyro.conf.Positional, option("[RUN_DIR ...]", "")] = ()
    """Folders of finished runs."""
    predictions: Annotated[Path | None, option("FILE.csv", "")] = None
    """Predictions table from any program, instead of runs."""
    reference: Annotated[Path | None, option("RUN_DIR", "every pair of runs is compared")] = None
    """The run that all other runs are compared with."""
    out: Annotated[Path | None, option("FILE.html", "report.html in or beside what it is about")] = None
    """File of the report."""


def report_runs(run_dirs: Iterable[str | Path], out: Path | None = None, reference: Path | None = None) -> Path:
    """Write the report of one finished run, or the comparison of several, and return the path of the page.

    A folder that holds several runs stands for all of them. Raises InputError if a folder is no finished run, or if
    runs cannot be compared.
    """
    from glioma_idh.reporting.report import files_folder, write_comparison, write_report
    from glioma_idh.runs import REPORT, list_runs

    folders = list_runs(run_dirs)
    into(files_folder(out or (folders[0].resolve().parent if len(folders) > 1 else folders[0]) / REPORT))
    if len(folders) > 1:
        return write_comparison(folders, out, reference)
    if reference is not None:
        raise InputError(
            "several runs for --reference", "one run", "Name the other runs too, or leave --reference out."
        )
    return write_report(folders[0], out)


def report_predictions(file: Path, out: Path | None = None) -> Path:
    """Write the report of a predictions table and return its path, by default `report.html` beside the table."""
    from glioma_idh.reporting.report import files_folder, write_table_report
    from glioma_idh.runs import REPORT

    into(files_folder(out or Path(file).parent / REPORT))
    return write_table_report(Path(file), out)


OPTIONS = Wanted


def main() -> None:
    """Run the command."""
    wanted = parse(OPTIONS, "glioma_idh.report", __doc__)
    with recorded("glioma_idh.report", wanted):
        if bool(wanted.run_dirs) == (wanted.predictions is not None):
            found = "both" if wanted.run_dirs else "neither"
            raise InputError("folders of runs, or --predictions FILE.csv", found, "Give one of the two.")
        if wanted.predictions is not None and wanted.reference is not None:
            raise InputError("several runs for --reference", "a predictions table", "Leave --reference out.")
        if wanted.out is not None:
            require_file_writable(wanted.out)
        with step("drawing the report"):
            if wanted.predictions is None:
                page = report_runs(wanted.run_dirs, wanted.out, wanted.reference)
            else:
                page = report_predictions(wanted.predictions, wanted.out)
        print(f"The report is {page}")


if __name__ == "__main__":
    main()
