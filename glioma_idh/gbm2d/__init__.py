"""Slice CNN for glioblastoma: Pasquini et al., J Pers Med 2021, doi 10.3390/jpm11040290, arXiv 2102.13205.

    recipe         every published setting
    preprocessing  scan and lesion mask -> the 64 x 64 slice
    augmentation   balance and rotation of the training set
    model          the four-block CNN
    fit            one split, from slices to a trained network and its predictions
    inference      a run's networks on prepared slices
    measures       of a scan and its lesion, by which new subjects are compared with a run's
    prediction     new subjects, with a finished run
    train predict  the commands

Arguments that functions share, and that their docstrings do not repeat:

    table, row    a cohort table, and a row of it
    sequence      its inside name: a column of the cohort table
    image, brain  intensities, and booleans of the same shape
    slices        of the network's input, float32, shape (n, height, width, channels)
    labels        1 IDH-mutant, 0 IDH-wild-type, shape (n,)
    size          pixels a side of the network's input
    with_skull    take scans without a brain mask that show more than the brain
    jobs, quiet   processes, -1 being one a processor; show no progress
    wanted        the command line, a `Prediction`

A run, subject or file that cannot be used is an `InputError`, which names it.

The pieces below can be used one by one; each is imported when it is first asked for.
"""

from glioma_idh.lazy import lazy_names

__all__, __getattr__, __dir__ = lazy_names(
    __name__,
    {
        "augmentation": ("ImageDataGenerator",),
        "model": ("build_cnn",),
        "preprocessing": ("LesionSlice", "extract_lesion_slice", "normalise_intensity", "resample_slice"),
        "predict": ("Prediction",),
        "prediction": ("predict_cohort",),
        "recipe": ("Recipe",),
        ".training.job": ("Job",),
    },
)
