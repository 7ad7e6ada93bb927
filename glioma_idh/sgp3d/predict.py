"""Apply a finished run: python -m glioma_idh.sgp3d.predict RUN_DIR --t1 ... --t1gd ... --t2 ... --flair ... --out DIR

Prints one CSV row a subject: the probability of an IDH mutation from each split's network (score_1 is that of split 1),
their mean (score) and standard deviation (score_sd), and the lesion's volume; and, on standard error, how good the run
was on patients it had not seen. Writes the lesion mask on the patient's own grid and a picture. Many subjects at once:
--cohort (and --images) as in training. For research, not for diagnosis.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from glioma_idh.errors import InputError, ending_plainly
from glioma_idh.files import write_table
from glioma_idh.progress import progress
from glioma_idh.sgp3d.recipe import Recipe, recipe_of_run

SEQUENCES = ("t1", "t1gd", "t2", "flair")
PATHS = (*SEQUENCES, "lesion_mask", "run_dir", "images", "labels", "out")
File = Annotated[Path | None, tyro.conf.arg(metavar="FILE")]


@dataclass(frozen=True)
class Prediction:
    """What to predict, and with which run."""

    run_dir: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="RUN_DIR")]
    """Folder of a finished run."""
    t1: File = None
    """One patient's T1; all four scans on one grid, skull-stripped."""
    t1gd: File = None
    """T1 with contrast."""
    t2: File = None
    """T2."""
    flair: File = None
    """FLAIR."""
    lesion_mask: File = None
    """A reference mask on the same grid, if there is one: it is drawn beside, and Dice given; resnet2d needs it."""
    subject: Annotated[str | None, tyro.conf.arg(metavar="NAME")] = None
    """What the patient is called; by default as the FLAIR's file, or its folder where the file names but a sequence."""
    cohort: Annotated[str | None, tyro.conf.arg(metavar="NAME")] = None
    """Many subjects: a cohort as train takes it, by name or as a CSV or XLSX; labels and masks are not needed."""
    images: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = None
    """Folder of scans of a named cohort."""
    labels: File = None
    """Its label sheet; by default what is shipped."""
    all_visits: bool = False
    """Follow-up visits too."""
    flips: bool = False
    """Average over the eight flips of the input; eight times as long."""
    out: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = None
    """Where predictions.csv, a mask and a picture a subject go, beside those of others; by default RUN_DIR/predict."""
    quiet: bool = False
    """Show no progress."""
    strict: bool = False
    """Stop at the first subject that cannot be used, instead of setting it aside."""
    with_skull: bool = False
    """Take scans that are not skull-stripped: skull and noise then enter crop and standardisation."""

    def __post_init__(self):
        for name in PATHS:
            if getattr(self, name) is not None:
                object.__setattr__(self, name, Path(getattr(self, name)))


def predict(wanted: Prediction):
    """Predict subjects with every network of a run, prepared as the run was trained.

    Args:
        wanted: as on the command line.

    Returns:
        A table of one row a subject: `subject`, `score_1` ... a column a split, `score`, `score_sd`,
        `predicted_ml`, and `dice, hd95_mm` and lesions counted where there is a reference mask; less what the run has
        not learnt; and `remarks`, what looks wrong.

    Raises:
        InputError: the run or a file cannot be used.
    """
    import pandas as pd

    from glioma_idh.cohorts.mask_remarks import print_remarks
    from glioma_idh.cohorts.table import exclusions_table
    from glioma_idh.predicting import look, output_folder, print_looks, write_predictions
    from glioma_idh.sgp3d.measures import AGREEMENT, ALONE, measure_subject
    from glioma_idh.training import predict as common

    content, synthetic = common.read_finished_run(wanted.run_dir, "sgp3d")
    recipe, subjects = recipe_of_run(content), _subjects(wanted)
    from glioma_idh.sgp3d.inference import input_shape  # not before: TensorFlow takes seconds to load
    from glioma_idh.training.predict import load_networks

    networks = load_networks(wanted.run_dir, input_shape(recipe), recipe.outputs)
    out = output_folder(wanted)
    rows, errors, remarks, measured = [], [], [], []
    quiet = wanted.quiet or wanted.cohort is None
    for _, row in progress(subjects.iterrows(), total=len(subjects), what="predicting", quiet=quiet):
        try:
            prepared = _prepare(row, recipe, networks, wanted.with_skull)
            remarks += [prepared.remarks] if prepared.remarks else []
            rows.append(_predict_one(row, prepared, recipe, networks, wanted.flips, synthetic, out))
            measures = measure_subject(prepared.scans, prepared.placement, prepared.lesion_ml)
            measured.append({"subject": row["subject"]} | measures)
        except InputError as error:
            if wanted.strict or len(subjects) == 1:
                raise
            errors.append(error)
            print(f"set aside: {error}", file=sys.stderr)
    if not rows:
        raise errors[0]
    measured = pd.DataFrame(measured)
    used = subjects[subjects["subject"].isin(measured["subject"])]
    looks = look(used, [*SEQUENCES, "lesion_mask"], measured, (ALONE, AGREEMENT), wanted)
    table = pd.DataFrame(rows).assign(remarks=lambda rows: [" ".join(looks.get(s, [])) for s in rows["subject"]])
    write_predictions(table, out / "predictions.csv")
    write_table(exclusions_table(errors), out / "exclusions.csv")
    print_remarks(remarks)
    print_looks(looks, len(table))
    common.warn_of_skull(wanted, content)
    common.warn_of_predictions(subjects, wanted.run_dir, synthetic)
    if "predicted_ml" in table:
        _warn_of_volumes(table, wanted.run_dir)
    return table


def _warn_of_volumes(table, run_dir: Path) -> None:
    """Name lesions beyond all that the run learnt from: networks of crops take the rest of a brain for lesion."""
    from glioma_idh import runs

    largest_ml = runs.read_table(run_dir / "cohort.csv")["lesion_ml"].max()
    beyond = table.loc[table["predicted_ml"] > 2 * largest_ml, "subject"]
    if len(beyond):
        found = f"{len(beyond)} of {len(table)} lesions found, {beyond.iloc[0]} for example,"
        cause = "were the run's scans cropped in another way than these?"
        print(f"{found} exceed twice the run's largest ({largest_ml:.0f} ml): {cause}", file=sys.stderr)


def _subjects(wanted: Prediction):
    """The cohort table of whom to predict: one patient, or a named cohort."""
    import pandas as pd

    from glioma_idh.cohorts.table import COLUMNS
    from glioma_idh.predicting import check_files, subject_of
    from glioma_idh.training import predict as common

    given = [name for name in SEQUENCES if getattr(wanted, name) is not None]
    if (wanted.cohort is None) == (not given):
        found = "both" if given else "neither"
        raise InputError("either --t1, --t1gd, --t2 and --flair, or --cohort", found, "See --help.")
    if wanted.cohort is not None:
        return common.read_subjects(wanted, SEQUENCES)
    if len(given) < len(SEQUENCES):
        missing = " ".join(f"--{name}" for name in SEQUENCES if name not in given)
        raise InputError("all four sequences", f"no {missing}", "The network reads all four together.")
    check_files(**{name: getattr(wanted, name) for name in (*SEQUENCES, "lesion_mask")})
    subject = subject_of(wanted.flair, wanted.subject)
    paths = {name: str(getattr(wanted, name) or "") for name in (*SEQUENCES, "lesion_mask")}
    return pd.DataFrame([dict.fromkeys(COLUMNS, "") | {"subject": subject, "patient": subject} | paths])


def _prepare(row, recipe: Recipe, networks: list, with_skull: bool):
    """What the networks see of one subject, with the lesion mask where there is one.

    Raises:
        InputError: the subject cannot be used, or has no mask for a network that needs one.
    """
    from glioma_idh.sgp3d import inference
    from glioma_idh.sgp3d.preprocessing import prepare_subject

    if inference.reads_slices(networks[0]) and not row["lesion_mask"]:
        advice = f"Give --lesion-mask: {recipe.network} reads slices through the lesion."
        raise InputError("a lesion mask", "none", advice, subject=row["subject"])
    return prepare_subject(row, recipe.shape, bool(row["lesion_mask"]), with_skull or recipe.with_skull)


def _predict_one(row, prepared, recipe: Recipe, networks: list, flips: bool, synthetic: bool, out: Path) -> dict:
    """Scores, mask and picture of one prepared subject."""
    import numpy as np

    from glioma_idh.imaging.volumes import write_volume
    from glioma_idh.sgp3d import inference

    passes, placement = inference.FLIPS if flips else inference.NO_FLIP, prepared.placement
    outputs = [inference.predict_scans(network, prepared.scans, passes, prepared.mask) for network in networks]
    scores, lesions = zip(*outputs, strict=True)
    numbers, lesion = {"subject": row["subject"]}, None
    if "idh" in recipe.learns:
        numbers |= {f"score_{n}": score for n, score in enumerate(scores, start=1)}
        spread = float(np.std(scores, ddof=1)) if len(scores) > 1 else float("nan")
        numbers |= {"score": float(np.mean(scores)), "score_sd": spread}
    reference = inference.reference_lesion(row, placement) if row["lesion_mask"] else None
    if "segmentation" in recipe.learns:
        lesion = inference.own_lesion(np.mean(lesions, axis=0), placement)
        write_volume(out / f"{row['subject']}_lesion.nii.gz", lesion, placement.own_affine)
        marks = inference.score_masks(lesion, lesion if reference is None else reference, placement)
        numbers |= marks if reference is not None else {"predicted_ml": marks["predicted_ml"]}
    _draw(row, lesion, reference, numbers, synthetic or row["cohort"] == "phantom", out)
    return numbers


def _draw(row, lesion, reference, numbers: dict, synthetic: bool, out: Path) -> None:
    """A picture: the four sequences with the outlines of the lesion that there are."""
    from glioma_idh.cohorts.scans import read_scan
    from glioma_idh.imaging.volumes import reorient
    from glioma_idh.reporting.figures.canvas import save_figure
    from glioma_idh.reporting.figures.cases import Case, head_line
    from glioma_idh.reporting.figures.overlays import lesion_overlay

    volumes = {name: read_scan(row, name, order="K") for name in SEQUENCES}
    flair = volumes["flair"]
    outlines = [None if mask is None else reorient(mask, flair.own_affine)[0] for mask in (reference, lesion)]
    scores = [score for name, score in numbers.items() if name.removeprefix("score_").isdigit()]
    marks = {name: numbers.get(name) for name in ("predicted_ml", "dice")}
    images = {name: volume.array for name, volume in volumes.items()}
    case = Case(images, *outlines, flair.spacing_mm, head_line(row["subject"], scores=scores, **marks))
    save_figure(lesion_overlay(case, synthetic=synthetic), out, row["subject"])


def main() -> None:
    """The command line: the table on standard output, for programs, and what it means on standard error."""
    config = (tyro.conf.FlagCreatePairsOff,)
    wanted = tyro.cli(Prediction, prog="python -m glioma_idh.sgp3d.predict", description=__doc__, config=config)
    from glioma_idh.predicting import output_folder
    from glioma_idh.reporting.text.prediction_text import prediction_text

    with ending_plainly():
        predictions = predict(wanted)
        text = prediction_text(predictions, wanted.run_dir, output_folder(wanted))
        print(predictions.to_csv(index=False, float_format="%.4g"), end="", flush=True)
        print(text, file=sys.stderr)


if __name__ == "__main__":
    main()
