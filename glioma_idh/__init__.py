"""IDH genotype of gliomas from MRI: two published networks, reproduced, and a full evaluation of their performance.

    import glioma_idh as gi

    run = gi.gbm2d.train_run(gi.gbm2d.Recipe(sequence=("rCBV",)))  # trains on the built-in synthetic cohort
    run.performance["auc"]["within_splits"]  # AUC with its 95 % confidence interval
    run.report()  # one HTML page

Public packages, in the order of the data flow:

    cohorts     cohort tables: subjects, their scans and IDH status; checks, and splits into training and test sets
    phantom     the built-in synthetic cohort ('phantom'), for use without images; no clinical results
    gbm2d       Pasquini et al. 2021: a slice CNN for glioblastoma, one sequence at a time
    sgp3d       Wang et al. 2021: SGPNet, a 3D network that segments the lesion and predicts the genotype
    evaluation  performance measures from tables of predictions
    figures     drawing functions

Public names beside them:

    prepare_patient   from the scanner's series of one patient to six sequences on one grid
    mask_on_series    take a mask from the prepared grid to that of a series as acquired
    read_volume       read a NIfTI file
    make_phantom      write the synthetic cohort
    Run               the results of a training, read from its folder
    read_predictions  the same for a table of predictions that another program made
    report_runs       one report that compares several runs
    InputError        input that cannot be used: what was expected, what was found, what to do

Internal packages and modules:

    imaging      volumes; from DICOM to registered images, brain mask, ADC and rCBV
    preparation  the steps of `prepare_patient`
    training     what the trainings of both papers have in common
    papers       what differs between the papers in reports
    runs         the files of a run folder
    reporting    figures, tables, text and the HTML page

Conventions: axes (i, j, k, channel) that point right, anterior and superior (RAS+); lengths in millimetres; lesion mask
0 or 1; IDH-mutant = 1 = the positive class; boxes are (start, stop) per axis, where index `stop` is not
included. Names of sequences: `t1 t1gd t2 flair rcbv adc`. Everything public is imported on first use.
"""

import os
from typing import TYPE_CHECKING

from glioma_idh.lazy import lazy_names

if TYPE_CHECKING:
    from glioma_idh import cohorts as cohorts
    from glioma_idh import evaluation as evaluation
    from glioma_idh import figures as figures
    from glioma_idh import gbm2d as gbm2d
    from glioma_idh import phantom as phantom
    from glioma_idh import sgp3d as sgp3d
    from glioma_idh.errors import InputError as InputError
    from glioma_idh.imaging.volumes import read_volume as read_volume
    from glioma_idh.phantom.folder import make_phantom as make_phantom
    from glioma_idh.preparation.masks import mask_on_series as mask_on_series
    from glioma_idh.prepare import prepare_patient as prepare_patient
    from glioma_idh.report import report_runs as report_runs
    from glioma_idh.runs.foreign_tables import read_predictions as read_predictions
    from glioma_idh.runs.run import Run as Run

# TensorFlow reads this when it loads. Left alone, it did not use oneDNN on a processor without AVX-512
# (benchmarks/README.md).
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

__version__ = "0.2.0"

__all__, __getattr__, __dir__ = lazy_names(
    __name__,
    {
        ".": ("cohorts", "evaluation", "figures", "gbm2d", "phantom", "sgp3d"),
        "errors": ("InputError",),
        "imaging.volumes": ("read_volume",),
        "phantom.folder": ("make_phantom",),
        "preparation.masks": ("mask_on_series",),
        "prepare": ("prepare_patient",),
        "report": ("report_runs",),
        "runs.foreign_tables": ("read_predictions",),
        "runs.run": ("Run",),
    },
)
