"""What prepared patients can and cannot be used for, in the few lines that `prepare` ends with."""

from collections import Counter
from pathlib import Path

from glioma_idh.cohorts.table import SEQUENCE_NAMES, SEQUENCES
from glioma_idh.preparation.settings import STRUCTURAL, Settings

ALL_FOUR = "T1, T1Gd, T2 and FLAIR"
SLICES, VOLUMES = "Slice CNN (gbm2d)", "SGPNet (sgp3d)"
OR_FIND_IT = "or with --lesion-run RUN_DIR, a trained SGPNet that finds it."


def usable_for(files: dict[str, Path], folder: Path, settings: Settings) -> list[str]:
    """What one patient can be used for, what is missing, and how to get it: lines; none where nothing was made.

    Args:
        files: by column of the cohort table.
        folder: the patient's, among the results.
        settings: with which the patient was prepared.
    """
    made = [name for name in SEQUENCES if name in files]
    if not made:
        return []
    missing = [SEQUENCE_NAMES[name] for name in STRUCTURAL if name not in files]
    has_lesion, names = "lesion_mask" in files, ", ".join(SEQUENCE_NAMES[name] for name in made)
    if has_lesion:
        lines = [f"{SLICES}: {names}, each with the lesion mask."]
    else:
        how = "Draw the lesion with its oedema on any series, and run the same command with --lesion-mask FILE"
        how += "." if missing else f", {OR_FIND_IT}"
        lines = [f"{SLICES}: not yet; {names} are there, but no lesion mask, which it needs. {how}"]
    if missing:
        lines.append(f"{VOLUMES}: no; it reads {ALL_FOUR} together, and there is no {' and no '.join(missing)}.")
    else:
        training = "to predict and to train" if has_lesion else "to predict; training needs the lesion mask"
        lines.append(f"{VOLUMES}: {ALL_FOUR} are there, {training}.")
    if "brain_mask" not in files:
        lines.append("No brain mask was made: where the scans show the skull, predict and train need --with-skull.")
    elif settings.keep_skull:
        lines.append("The skull was kept: SGPNet then needs --with-skull.")
    return lines + _look_at(folder)


def usable_for_many(every: list[dict[str, Path]], out: Path) -> list[str]:
    """What many patients can be used for, in counts: lines; none where nothing was made of anybody.

    Args:
        every: of each patient the files by column of the cohort table.
        out: the folder of the patients' folders.
    """
    made = [files for files in every if files.keys() & set(SEQUENCES)]
    if not made:
        return []
    counts = Counter(name for files in made for name in SEQUENCES if name in files)
    with_lesion = [files for files in made if "lesion_mask" in files]
    with_all = [files for files in made if set(STRUCTURAL) <= files.keys()]
    both = sum("lesion_mask" in files for files in with_all)
    sequences = ", ".join(f"{SEQUENCE_NAMES[name]} {counts[name]}" for name in SEQUENCES if counts[name])
    lines = [f"{SLICES}: {len(with_lesion)} of {len(every)} patients have a lesion mask ({sequences} patients)."]
    if len(with_lesion) < len(made):
        how = "For the others draw it on any series, lay it into the patient's folder as lesion_mask.nii.gz, and run"
        lines[0] += f" {how} the same command again, {OR_FIND_IT}"
    lines.append(f"{VOLUMES}: {len(with_all)} of {len(every)} patients have {ALL_FOUR}; {both} of these can train it.")
    return lines + _look_at(out, "*/qc.png")


def _look_at(folder: Path, pattern: str = "qc.png") -> list[str]:
    """Where the pictures are to check by; nothing where there is none."""
    return [f"Now look at {folder / pattern}"] if any(folder.glob(pattern)) else []
