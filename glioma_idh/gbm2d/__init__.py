"""Slice CNN for glioblastoma: Pasquini et al., J Pers Med 2021, doi 10.3390/jpm11040290, arXiv 2102.13205.

    recipe         every published setting
    preprocessing  scan and lesion mask -> the 64 x 64 slice
    augmentation   balance and rotation of the training set
    model          the four-block CNN
    fit            one split, from slices to a trained network and its predictions
    inference      a run's networks on prepared slices
    train          door: python -m glioma_idh.gbm2d.train
    predict        door: python -m glioma_idh.gbm2d.predict

The pieces below can be used one by one; each is imported when it is first asked for.
"""

import importlib

_HOMES = {
    "ImageDataGenerator": "augmentation",
    "LesionSlice": "preprocessing",
    "Recipe": "recipe",
    "Job": ".training.job",
    "build_cnn": "model",
    "extract_lesion_slice": "preprocessing",
    "normalise_intensity": "preprocessing",
    "resample_slice": "preprocessing",
}
__all__ = sorted(_HOMES)


def __getattr__(name):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)


def __dir__():
    return __all__
