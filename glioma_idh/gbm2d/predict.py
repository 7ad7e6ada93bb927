"""Apply a finished run of the slice CNN to new patients.

Example: python -m glioma_idh.gbm2d.predict RUN_DIR --scan scan.nii.gz --lesion-mask mask.nii.gz

Prints one CSV row per subject: the probability of an IDH mutation from each split's network (score_1, score_2, ...),
their mean (score) and standard deviation (score_sd). The performance of the run on its own test sets is printed to
standard error. For many subjects, give --cohort (and --images) as in training, instead of --scan. For research, not for
diagnosis.
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
    """Folder of a finished run; of a run of several sequences, the folder of one sequence."""
    scan: File = None
    """Needed only for runs of gbm2d: scan of one patient, of the sequence that the run was trained on."""
    lesion_mask: File = None
    """Mask of the lesion (whole tumour with oedema) on the grid of the scan: labels, or probabilities from 0.5."""
    brain_mask: File = None
    """Only for runs of gbm2d: brain mask on the grid of the scan. Without it, the scan must be skull-stripped."""
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
    out: Annotated[Path | None, option("DIR", "RUN_DIR/predict")] = None
    """Folder for predictions.csv and one picture per subject. Earlier predictions in it are kept."""
    quiet: Annotated[bool, SWITCH] = False
    """Show no progress bars or progress lines."""
    strict: Annotated[bool, SWITCH] = False
    """Stop at the first subject that cannot be used; without this option, such subjects are excluded and listed."""
    with_skull: Annotated[bool, SWITCH] = False
    """Accept scans that are not skull-stripped and have no brain mask: every voxel that is not 0 counts as brain."""

    def __post_init__(self):
        for name in ("run_dir", "scan", "lesion_mask", "brain_mask", "images", "labels", "out"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, Path(getattr(self, name)))


OPTIONS = Prediction


def main() -> None:
    """Run the command."""
    wanted = parse(OPTIONS, "glioma_idh.gbm2d.predict", __doc__)
    with recorded("glioma_idh.gbm2d.predict", wanted, of_patients=wanted.cohort is None):
        from glioma_idh.gbm2d.prediction import predict_cohort
        from glioma_idh.training.predict import output_folder, print_predictions

        into(output_folder(wanted))
        print_predictions(predict_cohort(wanted), wanted)


if __name__ == "__main__":
    main()
