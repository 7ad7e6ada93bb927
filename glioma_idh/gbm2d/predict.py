"""Apply a finished run: python -m glioma_idh.gbm2d.predict RUN_DIR --scan scan.nii.gz --lesion-mask mask.nii.gz

Prints one CSV row a subject: the probability of an IDH mutation from each split's network (score_1 is that of split 1),
their mean (score) and standard deviation (score_sd); and, on standard error, how good the run was on patients it had
not seen. Many subjects at once: --cohort (and --images) as in training, instead of --scan. For research, not for
diagnosis.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from glioma_idh.errors import InputError, ending_plainly
from glioma_idh.files import write_table
from glioma_idh.progress import step


@dataclass(frozen=True)
class Prediction:
    """What to predict, and with which run."""

    run_dir: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="RUN_DIR")]
    """Folder of a finished run of one sequence."""
    scan: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """One patient's scan, of the sequence that the run was trained on."""
    lesion_mask: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """The lesion on the same grid: whole tumour with oedema, as labels; probabilities count from 0.5 on."""
    brain_mask: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """The brain on the same grid; without it, where the scan is not 0, which must be skull-stripped."""
    subject: Annotated[str | None, tyro.conf.arg(metavar="NAME")] = None
    """What the patient is called; by default as the scan's file, or its folder where the file names but a sequence."""
    cohort: Annotated[str | None, tyro.conf.arg(metavar="NAME")] = None
    """Many subjects: a cohort as train takes it, by name or as a CSV or XLSX; labels are not needed."""
    images: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = None
    """Folder of scans of a named cohort."""
    labels: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """Its label sheet; by default what is shipped."""
    all_visits: bool = False
    """Follow-up visits too."""
    out: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = None
    """Where predictions.csv and a picture a subject go, beside those of others; by default RUN_DIR/predict."""
    quiet: bool = False
    """Show no progress."""
    strict: bool = False
    """Stop at the first subject that cannot be used, instead of setting it aside."""
    with_skull: bool = False
    """Take a scan that is not skull-stripped and has no brain mask: all that is not 0 then counts as brain."""

    def __post_init__(self):
        for name in ("run_dir", "scan", "lesion_mask", "brain_mask", "images", "labels", "out"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, Path(getattr(self, name)))


def predict(wanted: Prediction):
    """Predict subjects with every network of a run; the preparation is the one that the run was trained with.

    Args:
        wanted: as on the command line.

    Returns:
        A table of one row a subject: `subject`, `score_1` ... a column a split, `score`, `score_sd`, `lesion_ml`,
        and `remarks`, what looks wrong.

    Raises:
        InputError: the run or a file cannot be used.
    """
    import pandas as pd

    from glioma_idh.cohorts.mask_remarks import print_remarks
    from glioma_idh.cohorts.table import SEQUENCE_NAMES, exclusions_table
    from glioma_idh.gbm2d.measures import ALONE, INTENSITIES
    from glioma_idh.gbm2d.preprocessing import prepare_cohort
    from glioma_idh.predicting import look, output_folder, print_looks, write_predictions
    from glioma_idh.training import predict as common

    recipe, synthetic = common.read_finished_run(wanted.run_dir, "gbm2d")
    (sequence,) = recipe["sequence"]
    print(f"The run reads {SEQUENCE_NAMES[sequence]}.", file=sys.stderr)
    table, slices, errors = prepare_cohort(
        _subjects(wanted, sequence),
        sequence,
        recipe["size"],
        jobs=1 if wanted.cohort is None else -1,
        quiet=_quiet(wanted),
        with_skull=wanted.with_skull or recipe.get("with_skull", False),
    )
    if errors and (wanted.strict or table.empty):
        raise errors[0]
    from glioma_idh.training.predict import load_networks  # not before: TensorFlow takes seconds to load

    networks = load_networks(wanted.run_dir, slices.shape[1:])
    measured = pd.DataFrame(table.attrs["measures"])
    columns = [sequence, "lesion_mask", "brain_mask"]
    remarks = look(table, columns, measured, (ALONE, INTENSITIES), wanted)
    predictions = _predictions(table, slices, networks, remarks)
    out = output_folder(wanted)
    write_predictions(predictions, out / "predictions.csv")
    write_table(exclusions_table(errors), out / "exclusions.csv")
    for error in errors:
        print(f"set aside: {error}", file=sys.stderr)
    print_remarks(table.attrs["remarks"])
    print_looks(remarks, len(table))
    _warn_of_brains(table, wanted.run_dir)
    common.warn_of_skull(wanted, recipe)
    common.warn_of_predictions(table, wanted.run_dir, synthetic)
    with step("drawing the pictures", _quiet(wanted)):
        _draw(table, slices, predictions, sequence, synthetic, out)
    return predictions


def _quiet(wanted: Prediction) -> bool:
    return wanted.quiet or wanted.cohort is None


def _subjects(wanted: Prediction, sequence: str):
    """The cohort table of whom to predict: one patient, or a named cohort with the sequence."""
    import pandas as pd

    from glioma_idh.cohorts.table import COLUMNS
    from glioma_idh.predicting import check_files, subject_of
    from glioma_idh.training import predict as common

    if (wanted.cohort is None) == (wanted.scan is None):
        found = "neither" if wanted.scan is None else "both"
        raise InputError("either --scan and --lesion-mask, or --cohort", found, "See --help.")
    if wanted.cohort is not None:
        return common.read_subjects(wanted, [sequence])
    if wanted.lesion_mask is None:
        raise InputError("--lesion-mask with --scan", "none", "The network reads the slice where the lesion is widest.")
    check_files(scan=wanted.scan, lesion_mask=wanted.lesion_mask, brain_mask=wanted.brain_mask)
    subject = subject_of(wanted.scan, wanted.subject)
    paths = {sequence: wanted.scan, "lesion_mask": wanted.lesion_mask, "brain_mask": wanted.brain_mask or ""}
    row = {"subject": subject, "patient": subject, **{column: str(path) for column, path in paths.items()}}
    return pd.DataFrame([dict.fromkeys(COLUMNS, "") | row])


def _predictions(table, slices, networks: list, remarks: dict[str, list[str]]):
    """One row a subject: each network's probability of mutation, their mean and sample standard deviation."""
    import pandas as pd

    from glioma_idh.gbm2d.inference import score_slices

    scores = score_slices(slices, networks)
    scores = pd.DataFrame(scores, columns=[f"score_{number}" for number in range(1, len(networks) + 1)])
    predictions = table[["subject"]].join(scores)
    predictions["score"], predictions["score_sd"] = scores.mean(axis=1), scores.std(axis=1, ddof=1)
    predictions["lesion_ml"] = table["lesion_ml"]
    predictions["remarks"] = [" ".join(remarks.get(subject, [])) for subject in table["subject"]]
    return predictions


def _warn_of_brains(table, run_dir: Path) -> None:
    """Say where scans were prepared with another brain than the run's."""
    from glioma_idh import runs

    if (runs.read_table(run_dir / "cohort.csv")["brain_mask"] != "").all() and (table["brain_mask"] == "").any():
        text = "The run normalised within brain masks; without --brain-mask the brain is where the scan is not 0."
        print(text, file=sys.stderr)


def _draw(table, slices, predictions, sequence: str, synthetic: bool, out: Path) -> None:
    """A picture a subject: the slice that was read, and what the networks saw of it."""
    from glioma_idh.gbm2d.preprocessing import extract_lesion_slice, read_subject
    from glioma_idh.reporting.figures.canvas import save_figure
    from glioma_idh.reporting.figures.pictures import slice_read

    columns = [name for name in predictions if name.startswith("score_") and name[6:].isdigit()]
    for position, row in table.iterrows():
        image, mask, _ = read_subject(row, sequence, with_skull=True)  # it was let in before
        lesion = extract_lesion_slice(image.array, mask.array, image.affine)
        picture = slice_read(
            image.array[..., lesion.k],
            mask.array[..., lesion.k] != 0,
            lesion.box,
            slices[position, ..., 0],
            subject=row["subject"],
            sequence=sequence,
            scores=predictions.loc[position, columns].to_numpy(dtype=float),
            synthetic=synthetic or row["cohort"] == "phantom",
        )
        save_figure(picture, out, row["subject"])


def main() -> None:
    """The command line: the table on standard output, for programs, and what it means on standard error."""
    config = (tyro.conf.FlagCreatePairsOff,)
    wanted = tyro.cli(Prediction, prog="python -m glioma_idh.gbm2d.predict", description=__doc__, config=config)
    from glioma_idh.predicting import output_folder
    from glioma_idh.reporting.text.prediction_text import prediction_text

    with ending_plainly():
        predictions = predict(wanted)
        text = prediction_text(predictions, wanted.run_dir, output_folder(wanted))
        print(predictions.to_csv(index=False, float_format="%.4g"), end="", flush=True)
        print(text, file=sys.stderr)


if __name__ == "__main__":
    main()
