"""Apply a finished run of SGPNet or a comparator network to new patients.

Example: python -m glioma_idh.sgp3d.predict RUN_DIR --t1 FILE --t1gd FILE --t2 FILE --flair FILE --out DIR

Prints one CSV row per subject: the probability of an IDH mutation from each split's network (score_1, score_2, ...),
their mean (score) and standard deviation (score_sd), and the volume of the lesion. The performance of the run on its
own test sets is printed to standard error. Writes a picture and the lesion mask on the patient's own grid. For many
subjects, give --cohort (and --images) as in training. For research, not for diagnosis.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from glioma_idh.command_line import SWITCH, option, parse
from glioma_idh.record import into, recorded

File = Annotated[Path | None, option("FILE", "")]


@dataclass(frozen=True)
class Prediction:
    """New patients, and the run whose networks predict their IDH status."""

    run_dir: Annotated[Path, tyro.conf.Positional, option("RUN_DIR")]
    """Folder of a finished run."""
    t1: File = None
    """Needed only for runs of sgp3d: T1 scan. All four scans must be skull-stripped and on one grid."""
    t1gd: File = None
    """Needed only for runs of sgp3d: T1 scan with contrast agent."""
    t2: File = None
    """Needed only for runs of sgp3d: T2 scan."""
    flair: File = None
    """Needed only for runs of sgp3d: FLAIR scan."""
    lesion_mask: File = None
    """Reference mask of the lesion on the same grid, for Dice and picture. Networks of type resnet2d need it."""
    subject: Annotated[str | None, option("ID", "name of the file or of its folder")] = None
    """Id of the patient in the results."""
    cohort: Annotated[str | None, option("NAME", "")] = None
    """Predict many subjects: name of a cohort or a cohort table (CSV or XLSX). IDH labels are not needed."""
    images: Annotated[Path | None, option("DIR", "")] = None
    """Folder of the scans of a named cohort."""
    labels: Annotated[Path | None, option("FILE", "the labels shipped with the package")] = None
    """Label sheet of a named cohort."""
    all_visits: Annotated[bool, SWITCH] = False
    """Use follow-up visits too; without this option, only the first visit of each patient is used."""
    flips: Annotated[bool, SWITCH] = False
    """Only for runs of sgp3d: average the predictions of all eight flips of the input. Takes eight times as long."""
    out: Annotated[Path | None, option("DIR", "RUN_DIR/predict")] = None
    """Folder for predictions.csv, and one mask and picture per subject. Earlier predictions in it are kept."""
    quiet: Annotated[bool, SWITCH] = False
    """Show no progress bars or progress lines."""
    strict: Annotated[bool, SWITCH] = False
    """Stop at the first subject that cannot be used; without this option, such subjects are excluded and listed."""
    with_skull: Annotated[bool, SWITCH] = False
    """Accept scans that are not skull-stripped; skull and noise then affect cropping and standardisation."""

    def __post_init__(self):
        for name in ("run_dir", "t1", "t1gd", "t2", "flair", "lesion_mask", "images", "labels", "out"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, Path(getattr(self, name)))


OPTIONS = Prediction


def main() -> None:
    """Run the command."""
    wanted = parse(OPTIONS, "glioma_idh.sgp3d.predict", __doc__)
    with recorded("glioma_idh.sgp3d.predict", wanted, of_patients=wanted.cohort is None):
        from glioma_idh.sgp3d.prediction import predict_cohort
        from glioma_idh.training.predict import output_folder, print_predictions

        into(output_folder(wanted))
        print_predictions(predict_cohort(wanted), wanted)


if __name__ == "__main__":
    main()
