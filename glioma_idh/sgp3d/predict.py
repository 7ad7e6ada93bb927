"""Apply a finished run: python -m glioma_idh.sgp3d.predict RUN_DIR --t1 ... --t1gd ... --t2 ... --flair ... --out DIR

Prints one CSV row a subject: the probability of an IDH mutation from each split's network (score_1 is that of split 1),
their mean (score) and standard deviation (score_sd), and the lesion's volume; and, on standard error, how good the run
was on patients it had not seen. Writes the lesion mask on the patient's own grid and a picture. Many subjects at once:
--cohort (and --images) as in training. For research, not for diagnosis.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from glioma_idh.record import into, recorded

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
        for name in ("run_dir", "t1", "t1gd", "t2", "flair", "lesion_mask", "images", "labels", "out"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, Path(getattr(self, name)))


def main() -> None:
    """The command line."""
    config = (tyro.conf.FlagCreatePairsOff,)
    wanted = tyro.cli(Prediction, prog="python -m glioma_idh.sgp3d.predict", description=__doc__, config=config)
    with recorded("glioma_idh.sgp3d.predict", wanted, of_patients=wanted.cohort is None):
        from glioma_idh.sgp3d.prediction import predict_cohort
        from glioma_idh.training.predict import output_folder, print_predictions

        into(output_folder(wanted))
        print_predictions(predict_cohort(wanted), wanted)


if __name__ == "__main__":
    main()
