"""The device of a training: GPUs or processors, the same numbers from the same seed, and what it has cost."""

import contextlib
import logging
import platform
import time
from pathlib import Path

import joblib

from glioma_idh import runs
from glioma_idh.errors import InputError
from glioma_idh.files import write_json
from glioma_idh.quiet_keras import keras
from glioma_idh.record import peak_memory_bytes

logger = logging.getLogger(__name__)


def require_tensorflow() -> None:
    """Refuse to train on another backend of Keras: a run's estimate and its resuming are TensorFlow's."""
    if (backend := keras.backend.backend()) != "tensorflow":
        advice = "Set it for this command; networks and losses alone run on every backend of Keras."
        raise InputError("KERAS_BACKEND=tensorflow", backend, advice)


def find_gpus() -> list:
    """The GPUs that TensorFlow can use, set to take memory as they need it; empty on other backends."""
    if keras.backend.backend() != "tensorflow":
        return []
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    with contextlib.suppress(RuntimeError):  # a notebook has used it already
        for gpu in gpus:
            tf.config.experimental.set_memory_growth(gpu, True)
    return gpus


def default_jobs(gpus: list, num_trainings: int) -> int:
    """How many trainings run at once: as many as there are processors, one after the other on a GPU."""
    return 1 if gpus else min(joblib.cpu_count(), num_trainings)


def share_processors(jobs: int | None, gpus: list, num_trainings: int, large: bool) -> tuple[int, int]:
    """Trainings at once, as asked for or by default, and the threads of each; a large one fills every processor."""
    jobs = jobs or (1 if large else default_jobs(gpus, num_trainings))
    return jobs, max(1, joblib.cpu_count() // jobs) if large else 1


def device_line(gpus: list, jobs: int, threads: int = 1) -> str:
    """One line that names the device a run uses."""
    if gpus:
        return f"Device: {device_name(gpus)}; {jobs} at once"
    each = "one thread" if threads == 1 else f"{threads} threads"
    return f"Device: CPU with {joblib.cpu_count()} processors; {jobs} at once, {each} each"


def device_name(gpus: list) -> str:
    """The names of GPUs."""
    import tensorflow as tf

    return ", ".join(tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name) for gpu in gpus)


def write_cost(folder: Path, started: float) -> None:
    """What the training of a split took, into its folder; `time.monotonic()` was `started` when it began or went on."""
    peak, _ = peak_memory_bytes()
    gpus = find_gpus()
    device = device_name(gpus) if gpus else f"CPU, {platform.machine()}"
    cost = {"seconds": round(time.monotonic() - started, 1), "peak_memory_gb": round(peak / 1e9, 2), "device": device}
    write_json(cost, folder / runs.COST)


def make_reproducible(seed: int, threads: int = 1) -> None:
    """The same numbers from the same seed on the same machine, with as many threads or on the same kind of GPU.

    With one thread they do not depend on the number of processors either.
    """
    keras.utils.set_random_seed(seed)
    if keras.backend.backend() != "tensorflow":
        return
    import tensorflow as tf

    gpus = find_gpus()
    if gpus or threads > 1:
        tf.config.experimental.enable_op_determinism()
    if not gpus:
        use_threads(threads)


def use_threads(threads: int) -> None:
    """Let TensorFlow compute with so many threads in this process; if it has not computed anything yet."""
    import tensorflow as tf

    try:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
    except RuntimeError:
        logger.debug("TensorFlow is in use already: the last digits may differ from those of a new process.")
