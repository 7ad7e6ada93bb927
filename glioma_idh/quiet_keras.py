"""Keras without TensorFlow's notes on standard error; every file takes it from here, so that the first one is quiet.

Examples:
    >>> from glioma_idh.quiet_keras import keras, layers, ops
"""

import logging
import os
import sys

# TensorFlow writes notes to standard error as it loads, before any of its settings can stop it.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # later ones, as of a machine without a GPU
sys.stderr.flush()
_kept = os.dup(2)
with open(os.devnull, "wb") as _nowhere:
    os.dup2(_nowhere.fileno(), 2)
try:
    import keras
    from keras import layers, ops
finally:
    os.dup2(_kept, 2)
    os.close(_kept)
logging.getLogger("tensorflow").setLevel(logging.ERROR)  # it warns of one tracing a network where a run has five

__all__ = ["keras", "layers", "ops"]
