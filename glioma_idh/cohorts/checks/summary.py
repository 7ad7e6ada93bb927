"""The text summary of a cohort: its subjects and images, missing images, problems, and ignored files."""

from collections import Counter

import pandas as pd

from glioma_idh.cohorts.cells import is_unknown, status_of
from glioma_idh.cohorts.column_names import MASK_NAMES, PATHS, SEQUENCE_NAMES, SEQUENCES
from glioma_idh.cohorts.folders import Ignored
from glioma_idh.cohorts.table import UNLABELLED, check_labels
from glioma_idh.imaging.masks import LARGEST_SHARE_OF_BRAIN

NAMES = SEQUENCE_NAMES | MASK_NAMES
STATUS = {"1": "mutant", "0": "wild-type", "": "unknown"}
SHOWN = 5  # examples of each kind of problem; the CSV files list all


def describe(table: pd.DataFrame, ignored: list[Ignored], scans: pd.DataFrame | None = None) -> str:
    """Return the summary that the command `cohorts check` prints.

    Args:
        table: cohort table.
        ignored: files and visits that are not in the table.
        scans: table of checked images from `cohorts.check`.
    """
    there = (table[list(PATHS)] != "").any(axis=1)
    of_these = table[there]
    who = f"{len(table)} subjects of {table['patient'].nunique()} patients, {int(there.sum())} with images"
    lines = [f"{table['cohort'].iloc[0]}: {who}", "", image_counts(table, scans).to_string(), ""]
    for column in PATHS:  # images that some subjects have and others lack
        lacking = of_these["subject"][of_these[column] == ""]
        if 0 < len(lacking) < len(of_these):
            lines.append(_listed(f"no {NAMES[column]}", lacking))
    lines += [_listed("no image", table["subject"][~there])]
    lines += [_listed("cannot be used", [str(error) for error in check_labels(table)[1] if error.found != UNLABELLED])]
    if scans is not None:
        troubled = _rare_first(scans[scans["problem"] != ""])
        problems = troubled["subject"] + " " + troubled["image"].map(NAMES) + ": " + troubled["problem"]
        lines.append(_listed("images with a problem (all in cohort_check.csv)", problems))
        if count := int((scans["share_of_brain"] > LARGEST_SHARE_OF_BRAIN).sum()):
            lines.append(f"lesions that fill more than half of the brain (images cropped around the lesion?): {count}")
        for column in ("intensities", "head"):
            counts = scans[column][scans["image"].isin(SEQUENCES) & (scans[column] != "")].value_counts()
            if len(counts):
                lines.append(f"{column} (estimated): {', '.join(f'{count} {name}' for name, count in counts.items())}")
    lines += [describe_ignored(ignored)] if ignored else []
    return "\n".join(line for line in lines if line is not None)


def _rare_first(troubled: pd.DataFrame) -> pd.DataFrame:
    """Order images with a problem by kind, the rarest first; sentences with the same first three words are one kind."""
    sentences = troubled["problem"].str.split(r"\. ", regex=True).explode()
    kinds = sentences.str.replace(r"\S*[\d./_]\S*", "#", regex=True).str.split().str[:3].str.join(" ")
    rarity = kinds.map(kinds.value_counts()).groupby(level=0).min()
    return troubled.loc[rarity.sort_values(kind="stable").index]


def image_counts(table: pd.DataFrame, scans: pd.DataFrame | None = None) -> pd.DataFrame:
    """Count the subjects with each image by IDH status, and the images with a problem."""
    known = [STATUS[status_of(cell)] if status_of(cell) or is_unknown(cell) else "unreadable" for cell in table["idh"]]
    status = pd.Series(known, table.index)
    counts = {"subjects": status.value_counts()}
    for column in PATHS:
        counts[NAMES[column]] = status[table[column] != ""].value_counts()
    counts = pd.DataFrame(counts).T.reindex(columns=[*STATUS.values(), "unreadable"]).fillna(0).astype(int)
    counts = counts.drop(columns=[name for name in ("unreadable",) if not counts[name].any()])
    counts.insert(0, "n", counts.sum(axis=1))
    if scans is not None:
        troubled = scans[scans["problem"] != ""]["image"].map(NAMES).value_counts()
        counts["with a problem"] = [troubled.get(name, 0) for name in counts.index]
    return counts


def describe_ignored(ignored: list[Ignored]) -> str:
    """Summarise the ignored files and visits by reason."""
    lines = [f"Ignored: {len(ignored)} files or visits"]
    for reason, count in Counter(item.reason for item in ignored).most_common(2 * SHOWN):
        examples = [item.what for item in ignored if item.reason == reason][:2]
        lines.append(f"  {count} x {reason} ({', '.join(examples)}{' ...' if count > 2 else ''})")
    return "\n".join(lines)


def _listed(heading: str, items) -> str | None:
    """Return a heading with the number of items and the first few of them; None if there are no items."""
    if not (items := list(items)):
        return None
    separator = "\n  " if any(" " in item for item in items[:SHOWN]) else ", "
    start = "\n  " if separator != ", " else " "
    more = f"{separator}and {len(items) - SHOWN} more" if len(items) > SHOWN else ""
    return f"{heading}: {len(items)}{start}{separator.join(items[:SHOWN])}{more}"
