"""What can be made of a cohort that was checked: who can be trained on, how sure the result can be, what to type."""

import pandas as pd

from glioma_idh.cohorts.checks.copies import find_copies
from glioma_idh.cohorts.checks.rows import SGPNET, SLICE_CNN
from glioma_idh.cohorts.table import SEQUENCE_NAMES, SEQUENCES, UNLABELLED, check_labels
from glioma_idh.evaluation.intervals import expected_auc_half_width
from glioma_idh.papers import NAMES

OF_SGPNET = ("t1", "t1gd", "t2", "flair")
PREFERRED = ("rcbv", "t1gd", *SEQUENCES)
HOPED_AUC = 0.8
FOLDS = 5
TEST_MUTANTS = 5  # in each hold-out of the slice-CNN paper


def next_steps(table: pd.DataFrame, scans: pd.DataFrame, cohort: str) -> str:
    """What the check of a cohort ends with: who can be used for which network, the width to expect, the next command.

    The scans have a row an image, as `cohorts.check` gives it; `refused` names the networks that do not take it.
    `cohort` is what to give to `--cohort`.
    """
    cohort = f'"{cohort}"' if " " in cohort else cohort
    labelled, _ = check_labels(table)
    is_labelled = table["subject"].isin(labelled["subject"])
    of_slices, of_sgpnet = (_images_taken(table, scans, network) for network in (SLICE_CNN, SGPNET))
    best = max(PREFERRED, key=lambda name: sum(name in there for there in of_slices))
    slices, sgpnet = NAMES
    networks = {
        slices: (f"Slice CNN, {SEQUENCE_NAMES[best]}", {best}, of_slices, f" --sequence {SEQUENCE_NAMES[best]}"),
        sgpnet: ("SGPNet", set(OF_SGPNET), of_sgpnet, ""),
    }
    found, commands, able = [], [], []
    for name, (network, needed, images, sequence) in networks.items():
        masked = pd.Series([needed | {"lesion_mask"} <= there for there in images], table.index, dtype=bool)
        has_all = pd.Series([needed <= there for there in images], table.index, dtype=bool)
        usable = labelled[labelled["subject"].isin(table["subject"][masked])]
        # Training sets aside those with an image of a subject before them.
        of_usable = scans["subject"].isin(usable["subject"]) & scans["image"].isin(needed | {"lesion_mask"})
        rows = scans.loc[of_usable, ["subject", "patient", "image", "voxel_hash"]].to_dict("records")
        usable = usable[~usable["subject"].isin({rows[index]["subject"] for index, _ in find_copies(rows)})]
        text, splits = _prospects(usable, num_without_mask=int((has_all & ~masked & is_labelled).sum()))
        found.append(f"{network}: {text}")
        if splits is not None:
            commands.append(f"  python -m glioma_idh.{name}.train{sequence} --cohort {cohort}{splits}")
        if (masked if name == slices else has_all).any():
            able.append(f"  python -m glioma_idh.{name}.predict RUN_DIR --cohort {cohort}")
    commands = commands or able[:1]
    return "\n".join(["", "What can be trained", *found, *(["Next:", *commands] if commands else [])])


def why_nobody(table: pd.DataFrame, scans: pd.DataFrame) -> str:
    """Why not a single subject of a cohort, its table and scans, can be trained on, in sentences; "" where one can."""
    labelled, errors = check_labels(table)
    mistakes = [error for error in errors if error.found != UNLABELLED]
    start = "Nobody can be trained on:"
    if labelled.empty and mistakes:
        return f"{start} of none of {len(table)} subjects an IDH status can be used. The first: {mistakes[0]}"
    if labelled.empty:
        advice = "Name a sheet with --labels; a finished run can predict them."
        return f"{start} the IDH status of none of {len(table)} is known. {advice}"
    is_labelled = table["subject"].isin(labelled["subject"])
    for network, images, enough in ((SLICE_CNN, SEQUENCES, 1), (SGPNET, OF_SGPNET, len(OF_SGPNET))):
        for there in _images_taken(table[is_labelled], scans, network):
            if "lesion_mask" in there and len(there & {*images}) >= enough:
                return ""
    advice = (
        "The problems and missing images are listed above; training takes a head with its skull only --with-skull, and "
        "sgp3d can predict without a mask."
    )
    return f"{start} no labelled subject has a scan and a lesion mask that can be used. {advice}"


def _images_taken(table: pd.DataFrame, scans: pd.DataFrame, network: str) -> list[set[str]]:
    """The images of each subject that a network takes."""
    taken = scans[~scans["refused"].str.contains(network)].groupby("subject")["image"].agg(set)
    return [taken.get(subject, set()) for subject in table["subject"]]


def _prospects(usable: pd.DataFrame, num_without_mask: int) -> tuple[str, str | None]:
    """Who can be trained on and what can be known afterwards, and the flags of the splits; None where nothing can."""
    status = usable.groupby("patient")["idh"].max()
    mutants, wild_types = int((status == 1).sum()), int((status == 0).sum())
    text = f"{mutants} mutant and {wild_types} wild-type patients"
    if num_without_mask:
        text += f" ({num_without_mask} more subjects have no lesion mask that can be used)"
    folds = min(FOLDS, mutants, wild_types)
    if folds < 2:
        return f"{text}: too few; at least 2 of each are needed.", None
    half = float(expected_auc_half_width(len(status), mutants / len(status), HOPED_AUC))
    width = f"an AUC of {HOPED_AUC:.2f} will be known to about ± {half:.2f} (95 %)"
    if HOPED_AUC - half <= 0.5:
        width += ", so it will not be told from chance"
    splits = f"up to {min(mutants, wild_types)} folds"
    if mutants > TEST_MUTANTS:
        splits += f", or the slice-CNN paper's hold-outs of {TEST_MUTANTS} mutants or more"
    flags = " --splits kfold" if folds == FOLDS else f" --splits kfold --num-splits {folds}"
    return f"{text}: {splits}. With every patient tested once, {width}.", flags
