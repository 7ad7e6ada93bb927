"""Keras without TensorFlow's notes on standard error; every file takes it from here, so that the first one is quiet.

Examples:
    >>> from glioma_idh.quiet_keras import keras, layers, ops
"""

import contextlib
import logging
import os
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def _without_loader_notes() -> Iterator[None]:
    """TensorFlow writes notes to standard error as it loads, before any of its settings can stop it."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # later ones, as of a machine without a GPU
    sys.stderr.flush()
    kept = os.dup(2)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


with _without_loader_notes():
    import keras
    from keras import layers, ops
logging.getLogger("tensorflow").setLevel(logging.ERROR)  # it warns of one tracing a network where a run has five

__all__ = ["keras", "layers", "ops"]
