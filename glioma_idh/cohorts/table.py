"""The cohort table: one row a subject, who they are and where their scans lie. The first waist of the package."""

from pathlib import Path

import pandas as pd

from glioma_idh.cohorts.paths import absolute_paths
from glioma_idh.cohorts.sheets import cell_error, looks_like_a_number, parse_idh, read_sheet, with_decimal_points
from glioma_idh.errors import InputError

SEQUENCES = ("t1", "t1gd", "t2", "flair", "rcbv", "adc")
SEQUENCE_NAMES = {"t1": "T1", "t1gd": "T1Gd", "t2": "T2", "flair": "FLAIR", "rcbv": "rCBV", "adc": "ADC"}
MASKS = ("lesion_mask", "brain_mask")
PATHS = SEQUENCES + MASKS
IDENTITY = (
    *("subject", "patient", "cohort", "site", "idh", "idh_evidence", "grade", "age_years", "sex"),
    *("histology", "codeletion_1p19q", "mgmt", "who2021"),
)
COLUMNS = (*IDENTITY, *PATHS, "adc_divisor")
NUMBERS = ("age_years", "adc_divisor")
EXCLUSION_COLUMNS = ["subject", "file", "expected", "found", "advice"]
UNLABELLED = "an empty label"


def parse_sequence(name: str) -> str:
    """The inside name of a sequence as people type it: `MPRAGE` and `T1Gd` are `t1gd`, in any case.

    Raises:
        InputError: not one of the six sequences.
    """
    key = name.lower().replace("-", "").replace("_", "")
    key = {"mprage": "t1gd", "t1ce": "t1gd", "t1c": "t1gd"}.get(key, key)
    if key not in SEQUENCES:
        known = ", ".join(SEQUENCE_NAMES.values())
        raise InputError(f"one of {known}, or all", repr(name), "Name the sequence as in this list (MPRAGE is T1Gd).")
    return key


def read_table(path, images=None) -> pd.DataFrame:
    """Read a cohort table, every cell as text (ids keep their zeros), paths made absolute.

    Columns that are not there are empty, `patient` is the subject and `cohort` the file's name unless given. `attrs`
    keeps the path in `file`, and for `rows_in_file` the rows in `rows` where some of the file are empty.

    Args:
        path: a table as `read_sheet` reads it, with at least the columns `subject` and `idh`; numbers may have a
            decimal comma.
        images: where relative paths start; by default the table's own folder.

    Raises:
        InputError: the file is missing, cannot be read, lacks those columns or any row, or has ids that a
            spreadsheet turned into numbers, numbers that can be read in two ways, or paths of another system.
    """
    path = Path(path)
    sheet = read_sheet(path, required=("subject", "idh"))
    mangled = sheet.index[sheet["subject"].map(looks_like_a_number)]
    if len(mangled):
        advice = "A spreadsheet has turned the id into a number: keep the column as text."
        raise cell_error(sheet, mangled[0], "subject", "an id", advice)
    for column in [column for column in NUMBERS if column in sheet]:
        sheet[column] = with_decimal_points(sheet, column)
    if "grade" in sheet:
        sheet["grade"] = sheet["grade"].replace(r"(\d+),0", r"\1.0", regex=True)
    table = sheet.reindex(columns=list(COLUMNS), fill_value="").reset_index(drop=True)
    table["patient"] = table["patient"].where(table["patient"] != "", table["subject"])
    table["cohort"] = table["cohort"].where(table["cohort"] != "", path.stem)
    folder = path.resolve().parent if images is None else Path(images).resolve()
    for column in PATHS:
        table[column] = absolute_paths(sheet, column, folder) if column in sheet else ""
    rows = sheet.index.tolist()
    table.attrs = {"file": str(path)} | ({} if rows == list(range(2, len(rows) + 2)) else {"rows": rows})
    return table


def rows_in_file(table: pd.DataFrame, labels) -> list[int]:
    """The rows of the file, as a spreadsheet counts them, that lines of a table came from.

    Args:
        table: a cohort table as `read_table` gives it, or some of its lines.
        labels: of lines, from its index.
    """
    rows = table.attrs.get("rows")
    return [label + 2 if rows is None else rows[label] for label in labels]


def check_subjects(table: pd.DataFrame) -> tuple[pd.DataFrame, list[InputError]]:
    """Set aside the rows that name nobody, or somebody twice.

    Args:
        table: a cohort table of text, as `read_table` gives it.

    Returns:
        The usable rows, and one error a subject set aside.
    """
    errors, file = [], table.attrs.get("file", "")
    twice = table["subject"].duplicated(keep=False)
    for subject, rows in table[twice].groupby("subject"):
        lines = ", ".join(map(str, rows_in_file(table, rows.index)))
        advice = "Keep one row and give the other scan a subject id of its own, with the same patient."
        errors.append(InputError("one row a subject", f"rows {lines} of the table", advice, file, subject))
    unsafe = ~twice & ~table["subject"].str.fullmatch(r"[^/\\]*[^/\\.][^/\\]*")
    for subject in table["subject"][unsafe]:
        advice = "Files are named after subjects: use letters, digits, - and _."
        errors.append(InputError("an id that can be a file's name", repr(subject), advice, file, subject))
    return table[~twice & ~unsafe], errors


def check_labels(table: pd.DataFrame) -> tuple[pd.DataFrame, list[InputError]]:
    """Set aside the rows that cannot be used to learn or to test: what `check_subjects` does, and unusable labels.

    Args:
        table: a cohort table of text, as `read_table` gives it.

    Returns:
        The usable rows, `idh` as integers 0 or 1; and one error a subject set aside.
    """
    file = table.attrs.get("file", "")
    table, errors = check_subjects(table)
    labels = pd.Series("", table.index, dtype=str)
    for index, subject, cell in zip(table.index, table["subject"], table["idh"], strict=True):
        try:
            labels[index] = parse_idh(cell)
        except ValueError as error:
            advice = "Write 1 for mutant, 0 for wild-type, nothing for unknown."
            errors.append(InputError(str(error), repr(cell), advice, file, subject))
            continue
        if not labels[index]:
            why = f" ({table.at[index, 'idh_evidence']})" if table.at[index, "idh_evidence"] else ""
            advice = f"Predict it with a finished run{why}."
            errors.append(InputError("IDH status", UNLABELLED, advice, file, subject))
    usable = table[labels != ""].assign(idh=labels[labels != ""])
    two_labels = usable.groupby("patient")["idh"].transform("nunique") > 1
    for subject, patient in zip(usable["subject"][two_labels], usable["patient"][two_labels], strict=True):
        advice = "Correct the label, or the patient column."
        errors.append(InputError("one IDH status a patient", f"both for patient {patient}", advice, file, subject))
    return usable[~two_labels].astype({"idh": int}).reset_index(drop=True), errors


def keep_unlabelled(
    cohort: pd.DataFrame, table: pd.DataFrame, errors: list[InputError]
) -> tuple[pd.DataFrame, list[InputError]]:
    """Take those back whose IDH status alone is not known: they can teach where lesions are.

    Args:
        cohort: the whole table.
        table: what `check_labels` kept of it.
        errors: one a subject set aside.

    Returns:
        The rows, `idh` as floats, NaN where it is not known; and the errors that remain.
    """
    unlabelled = [error.subject for error in errors if error.found == UNLABELLED]
    rows = cohort[cohort["subject"].isin(unlabelled)].assign(idh=float("nan"))
    table = pd.concat([table.astype({"idh": float}), rows.astype({"idh": float})], ignore_index=True)
    table.attrs = cohort.attrs
    return table, [error for error in errors if error.found != UNLABELLED]


def available_sequences(table: pd.DataFrame) -> list[str]:
    """The sequences that at least one subject has."""
    return [name for name in SEQUENCES if (table[name] != "").any()]


def require_sequence(table: pd.DataFrame, sequence: str) -> None:
    """At least one subject must have the sequence.

    Raises:
        InputError: none has; it names the sequences there are.
    """
    available = available_sequences(table)
    if sequence not in available:
        found = f"only {', '.join(SEQUENCE_NAMES[known] for known in available)}" if available else "no scans at all"
        advice = "Choose one of those." if available else "Check the paths in the cohort table."
        raise InputError(f"{SEQUENCE_NAMES[sequence]} in cohort {table['cohort'].iloc[0]}", found, advice)


def exclusions_table(errors: list[InputError]) -> pd.DataFrame:
    """Who was set aside and why, one row an error."""
    rows = [{column: getattr(error, column) for column in EXCLUSION_COLUMNS} for error in errors]
    return pd.DataFrame(rows, columns=EXCLUSION_COLUMNS)
