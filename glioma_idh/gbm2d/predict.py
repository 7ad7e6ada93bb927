"""Apply a finished run: python -m glioma_idh.gbm2d.predict RUN_DIR --scan scan.nii.gz --lesion-mask mask.nii.gz

Prints one CSV row a subject: the probability of an IDH mutation from each split's network (score_1 is that of split 1),
their mean (score) and standard deviation (score_sd); and, on standard error, how good the run was on patients it had
not seen. Many subjects at once: --cohort (and --images) as in training, instead of --scan. For research, not for
diagnosis.
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
    """Folder of a finished run of one sequence."""
    scan: File = None
    """One patient's scan, of the sequence that the run was trained on."""
    lesion_mask: File = None
    """The lesion on the same grid: whole tumour with oedema, as labels; probabilities count from 0.5 on."""
    brain_mask: File = None
    """The brain on the same grid; without it, where the scan is not 0, which must be skull-stripped."""
    subject: Annotated[str | None, tyro.conf.arg(metavar="NAME")] = None
    """What the patient is called; by default as the scan's file, or its folder where the file names but a sequence."""
    cohort: Annotated[str | None, tyro.conf.arg(metavar="NAME")] = None
    """Many subjects: a cohort as train takes it, by name or as a CSV or XLSX; labels are not needed."""
    images: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = None
    """Folder of scans of a named cohort."""
    labels: File = None
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


def main() -> None:
    """The command line."""
    config = (tyro.conf.FlagCreatePairsOff,)
    wanted = tyro.cli(Prediction, prog="python -m glioma_idh.gbm2d.predict", description=__doc__, config=config)
    with recorded("glioma_idh.gbm2d.predict", wanted, of_patients=wanted.cohort is None):
        from glioma_idh.gbm2d.prediction import predict_cohort
        from glioma_idh.training.predict import output_folder, print_predictions

        into(output_folder(wanted))
        print_predictions(predict_cohort(wanted), wanted)


if __name__ == "__main__":
    main()
