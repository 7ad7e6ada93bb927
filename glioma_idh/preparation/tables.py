"""The tables beside the patients' folders: `cohort.csv`, which train and predict take, and `exclusions.csv`."""

from pathlib import Path

import pandas as pd

from glioma_idh.cohorts.table import COLUMNS, EXCLUSION_COLUMNS, PATHS
from glioma_idh.files import write_table


def update_tables(out: Path, subject: str, files: dict[str, Path], problems: list[dict]) -> None:
    """Enter what became of a patient; other patients, and what was written by hand about this one, stay.

    Args:
        out: the folder of the patients' folders.
        subject: the patient.
        files: by column of the cohort table; none where nothing could be made, and the patient leaves the table.
        problems: rows of `exclusions.csv`, less the subject.
    """
    out = Path(out)
    cohort = _read(out / "cohort.csv", COLUMNS)
    former = cohort[cohort["subject"] == subject]
    row = {"subject": subject, "patient": subject} | (former.iloc[0].to_dict() if len(former) else {})
    row |= {column: files[column].relative_to(out).as_posix() if column in files else "" for column in PATHS}
    others = cohort[cohort["subject"] != subject]
    rows = pd.concat([others, pd.DataFrame([row] if files else [], columns=cohort.columns, dtype=str)]).fillna("")
    write_table(rows.sort_values("subject"), out / "cohort.csv")
    exclusions = _read(out / "exclusions.csv", EXCLUSION_COLUMNS)
    mine = pd.DataFrame([{"subject": subject} | problem for problem in problems], columns=exclusions.columns, dtype=str)
    rows = pd.concat([exclusions[exclusions["subject"] != subject], mine])
    write_table(rows.sort_values("subject", kind="stable"), out / "exclusions.csv")


def _read(path: Path, columns) -> pd.DataFrame:
    """A table of text, with these columns at least; empty where there is none."""
    table = pd.read_csv(path, dtype=str, keep_default_na=False) if path.exists() else pd.DataFrame(dtype=str)
    return table.reindex(columns=list(dict.fromkeys([*columns, *table.columns])), fill_value="")
