"""Apply a finished run to new patients.

Example: python -m glioma_idh.predict RUN_DIR --cohort cohort.csv

The networks of the run are recognised from its folder. For one patient, a run of gbm2d needs --scan and --lesion-mask,
and a run of sgp3d needs --t1, --t1gd, --t2 and --flair. For many patients, both need --cohort.

Prints one CSV row per subject: the probability of an IDH mutation from each split's network (score_1, score_2, ...),
their mean (score) and standard deviation (score_sd). For research, not for diagnosis.
"""

import importlib
from dataclasses import dataclass
from typing import Annotated

from glioma_idh.command_line import SWITCH, parse
from glioma_idh.errors import InputError, ending_plainly
from glioma_idh.gbm2d.predict import File
from glioma_idh.gbm2d.predict import Prediction as SlicePrediction
from glioma_idh.sgp3d.predict import Prediction as VolumePrediction


@dataclass(frozen=True)
class Prediction(VolumePrediction, SlicePrediction):
    """The options of both papers' commands; a run takes those of its own paper."""

    lesion_mask: File = None
    """Lesion mask on the grid of the scans. Runs of gbm2d and of resnet2d need it; others compare with it (Dice)."""
    with_skull: Annotated[bool, SWITCH] = False
    """Accept scans that are not skull-stripped."""


OPTIONS = Prediction


def main() -> None:
    """Find out which network the run is of, and call its command."""
    wanted = parse(OPTIONS, "glioma_idh.predict", __doc__)
    with ending_plainly():
        from glioma_idh.papers import find_paper
        from glioma_idh.runs import read_recipe

        paper = find_paper(read_recipe(wanted.run_dir)["recipe"])
        if paper is None:
            advice = "Name a folder that a training command of this package made."
            raise InputError("a run of gbm2d or sgp3d", "a run of something else", advice, file=wanted.run_dir)
        importlib.import_module(f"{paper.module}.predict").main()


if __name__ == "__main__":
    main()
