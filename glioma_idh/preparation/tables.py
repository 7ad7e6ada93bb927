"""The tables beside the patients' folders: `cohort.csv`, which train and predict take, and `exclusions.csv`."""

from pathlib import Path

import pandas as pd

from glioma_idh.cohorts.sheets import read_sheet
from glioma_idh.cohorts.table import COLUMNS, EXCLUSION_COLUMNS, PATHS
from glioma_idh.files import write_table


def update_tables(out: Path, subject: str, files: dict[str, Path], problems: list[dict]) -> None:
    """Enter what became of a patient; other patients, and what was written by hand about this one, stay.

    Args:
        out: the folder of the patients' folders.
        subject: the patient.
        files: by column of the cohort table; none where nothing could be made: the patient then leaves the table, or
            stays without paths where somebody wrote something by hand.
        problems: rows of `exclusions.csv`, less the subject.

    Raises:
        InputError: a table is there that cannot be read.
    """
    cohort, exclusions = read_tables(out)
    former = cohort[cohort["subject"] == subject]
    row = {"subject": subject, "patient": subject} | (former.iloc[0].to_dict() if len(former) else {})
    row |= {column: files[column].relative_to(out).as_posix() if column in files else "" for column in PATHS}
    others, told = cohort[cohort["subject"] != subject], set(row.values()) - {"", subject}
    rows = pd.concat([others, pd.DataFrame([row] if told else [], columns=cohort.columns, dtype=str)]).fillna("")
    write_table(rows.sort_values("subject"), Path(out, "cohort.csv"))
    mine = pd.DataFrame([{"subject": subject} | problem for problem in problems], columns=exclusions.columns, dtype=str)
    rows = pd.concat([exclusions[exclusions["subject"] != subject], mine])
    write_table(rows.sort_values("subject", kind="stable"), Path(out, "exclusions.csv"))


def read_tables(out) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The two tables of an output folder as text; empty where they are not there yet.

    Raises:
        InputError: one cannot be read, as after a spreadsheet has saved it in another encoding.
    """
    return _read(Path(out, "cohort.csv"), COLUMNS), _read(Path(out, "exclusions.csv"), EXCLUSION_COLUMNS)


def _read(path: Path, columns) -> pd.DataFrame:
    """A table of text, with these columns at least, all of them named; empty where there is none but the header."""
    has_rows = path.exists() and len(path.read_bytes().splitlines()) > 1
    table = read_sheet(path, required=("subject",)) if has_rows else pd.DataFrame(dtype=str)
    table.columns = [name or f"column {place}" for place, name in enumerate(table.columns, start=1)]
    return table.reindex(columns=list(dict.fromkeys([*columns, *table.columns])), fill_value="")
