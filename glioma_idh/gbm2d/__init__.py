"""Slice CNN for glioblastoma: Pasquini et al., J Pers Med 2021, doi 10.3390/jpm11040290, arXiv 2102.13205.

    recipe         all published settings
    preprocessing  from scan and lesion mask to a slice of 64 x 64 pixels
    augmentation   balanced classes and random rotation of the training set
    model          the CNN of four blocks
    fit            training and test of one split
    inference      the networks of a run on prepared slices
    measures       measures of a scan and its lesion, by which new subjects are compared with those of a run
    prediction     prediction of new subjects with a finished run
    method         the steps of this paper within the common training
    train predict  the commands

Arguments that several functions have, which their docstrings do not repeat:

    table, row    a cohort table; one row of it
    sequence      name of a sequence, which is a column of the cohort table: "rcbv"
    image, brain  intensities, shape (i, j, k); booleans of the same shape
    slices        input of the network, float32, shape (n, height, width, channels)
    labels        1 IDH-mutant, 0 IDH-wild-type, shape (n,)
    size          height and width of the network's input, in pixels
    with_skull    accept scans that are not skull-stripped and have no brain mask
    jobs, quiet   number of processes (-1: one per processor); print no progress
    wanted        a `Prediction`

A run, subject or file that cannot be used raises an `InputError` that names it.
"""

from typing import TYPE_CHECKING

from glioma_idh.lazy import lazy_names

if TYPE_CHECKING:
    from glioma_idh.gbm2d.augmentation import ImageDataGenerator as ImageDataGenerator
    from glioma_idh.gbm2d.model import build_cnn as build_cnn
    from glioma_idh.gbm2d.predict import Prediction as Prediction
    from glioma_idh.gbm2d.prediction import predict_cohort as predict_cohort
    from glioma_idh.gbm2d.preprocessing import LesionSlice as LesionSlice
    from glioma_idh.gbm2d.preprocessing import extract_lesion_slice as extract_lesion_slice
    from glioma_idh.gbm2d.preprocessing import normalise_intensity as normalise_intensity
    from glioma_idh.gbm2d.preprocessing import read_subject as read_subject
    from glioma_idh.gbm2d.preprocessing import resample_slice as resample_slice
    from glioma_idh.gbm2d.recipe import PUBLISHED as PUBLISHED
    from glioma_idh.gbm2d.recipe import Recipe as Recipe
    from glioma_idh.gbm2d.train import train_run as train_run
    from glioma_idh.gbm2d.train import train_runs as train_runs
    from glioma_idh.training.job import Job as Job

__all__, __getattr__, __dir__ = lazy_names(
    __name__,
    {
        "augmentation": ("ImageDataGenerator",),
        "model": ("build_cnn",),
        "predict": ("Prediction",),
        "prediction": ("predict_cohort",),
        "preprocessing": (
            "LesionSlice",
            "extract_lesion_slice",
            "normalise_intensity",
            "read_subject",
            "resample_slice",
        ),
        "recipe": ("PUBLISHED", "Recipe"),
        "train": ("train_run", "train_runs"),
        ".training.job": ("Job",),
    },
)
