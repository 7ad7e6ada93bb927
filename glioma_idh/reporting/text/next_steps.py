"""Next steps after the check of a cohort: usable subjects, expected precision of the AUC, and the command to type."""

import pandas as pd

from glioma_idh.cohorts.checks.copies import subjects_with_copies
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
    """The end of a cohort check: usable subjects per network, expected width of the interval, and the next command.

    `scans` has one row per image, as returned by `cohorts.check`; its column `refused` names the networks that reject
    the image. `cohort` is the value for `--cohort`.
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
        # Training excludes subjects with an image of an earlier subject; both, if their labels contradict each other.
        of_usable = scans["subject"].isin(usable["subject"]) & scans["image"].isin(needed | {"lesion_mask"})
        rows = scans.loc[of_usable, ["subject", "patient", "image", "voxel_hash"]]
        rows = rows.merge(usable[["subject", "idh"]], on="subject").to_dict("records")
        copies, contradictions = subjects_with_copies(rows)
        usable = usable[~usable["subject"].isin([*copies, *contradictions])]
        text, splits = _prospects(usable, num_without_mask=int((has_all & ~masked & is_labelled).sum()))
        found.append(f"{network}: {text}")
        if splits is not None:
            commands.append(f"  python -m glioma_idh.{name}.train{sequence} --cohort {cohort}{splits}")
        if (masked if name == slices else has_all).any():
            able.append(f"  python -m glioma_idh.{name}.predict RUN_DIR --cohort {cohort}")
    commands = commands or able[:1]
    return "\n".join(["", "Subjects for training", *found, *(["Next command:", *commands] if commands else [])])


def why_nobody(table: pd.DataFrame, scans: pd.DataFrame) -> str:
    """Explain why no subject of a cohort (its table and scans) can be used for training; "" if at least one can."""
    labelled, errors = check_labels(table)
    mistakes = [error for error in errors if error.found != UNLABELLED]
    start = "No subject can be used for training:"
    if labelled.empty and mistakes:
        return f"{start} none of {len(table)} subjects has a usable IDH status. First error: {mistakes[0]}"
    if labelled.empty:
        advice = "Give a sheet with labels (--labels), or predict the subjects with a finished run."
        return f"{start} the IDH status is unknown in all {len(table)} subjects. {advice}"
    is_labelled = table["subject"].isin(labelled["subject"])
    for network, images, enough in ((SLICE_CNN, SEQUENCES, 1), (SGPNET, OF_SGPNET, len(OF_SGPNET))):
        for there in _images_taken(table[is_labelled], scans, network):
            if "lesion_mask" in there and len(there & {*images}) >= enough:
                return ""
    advice = (
        "Problems and missing images are listed above. Scans with skull need --with-skull for training; sgp3d can "
        "predict subjects without a mask."
    )
    return f"{start} no labelled subject has both a usable scan and a usable lesion mask. {advice}"


def _images_taken(table: pd.DataFrame, scans: pd.DataFrame, network: str) -> list[set[str]]:
    """The images of each subject that a network accepts."""
    taken = scans[~scans["refused"].str.contains(network)].groupby("subject")["image"].agg(set)
    return [taken.get(subject, set()) for subject in table["subject"]]


def _prospects(usable: pd.DataFrame, num_without_mask: int) -> tuple[str, str | None]:
    """Usable patients and expected precision in words, and the flags of the splits (None if training is impossible)."""
    status = usable.groupby("patient")["idh"].max()
    mutants, wild_types = int((status == 1).sum()), int((status == 0).sum())
    text = f"{mutants} IDH-mutant and {wild_types} IDH-wild-type patients"
    if num_without_mask:
        text += f" ({num_without_mask} more without a usable lesion mask)"
    folds = min(FOLDS, mutants, wild_types)
    if folds < 2:
        return f"{text}: too few; at least 2 of each class are needed.", None
    half = float(expected_auc_half_width(len(status), mutants / len(status), HOPED_AUC))
    width = f"the expected 95 % confidence interval of an AUC of {HOPED_AUC:.2f} is about ± {half:.2f}"
    if HOPED_AUC - half <= 0.5:
        width += ", which includes 0.5 (chance)"
    splits = f"up to {min(mutants, wild_types)} folds"
    if mutants > TEST_MUTANTS:
        splits += f", or random hold-out with at least {TEST_MUTANTS} mutants per test set (slice-CNN paper)"
    flags = " --splits kfold" if folds == FOLDS else f" --splits kfold --num-splits {folds}"
    return f"{text}: {splits}. If every patient is tested once, {width}.", flags
