"""GPUs and processors of a training, reproducibility, and its cost in time and memory."""

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
    """Raise an InputError if Keras has another backend: cost estimates and checkpoints need TensorFlow."""
    if (backend := keras.backend.backend()) != "tensorflow":
        advice = "Set KERAS_BACKEND=tensorflow for training. Networks and losses alone run on every backend of Keras."
        raise InputError("KERAS_BACKEND=tensorflow", backend, advice)


def find_gpus() -> list:
    """List the GPUs that TensorFlow can use and let them allocate memory as needed; empty on other backends."""
    if keras.backend.backend() != "tensorflow":
        return []
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    with contextlib.suppress(RuntimeError):  # TensorFlow is already initialised, in a notebook for example
        for gpu in gpus:
            tf.config.experimental.set_memory_growth(gpu, True)
    return gpus


def default_jobs(gpus: list, num_trainings: int) -> int:
    """Return the default number of parallel trainings: one per processor, or 1 on a GPU."""
    return 1 if gpus else min(joblib.cpu_count(), num_trainings)


def share_processors(jobs: int | None, gpus: list, num_trainings: int, large: bool) -> tuple[int, int]:
    """Return the number of parallel trainings and of threads per training; `large` trainings use all processors."""
    jobs = jobs or (1 if large else default_jobs(gpus, num_trainings))
    return jobs, max(1, joblib.cpu_count() // jobs) if large else 1


def device_line(gpus: list, jobs: int, threads: int = 1) -> str:
    """Return a line of text that names the device."""
    parallel = f"{jobs} trainings in parallel" if jobs > 1 else "1 training at a time"
    if gpus:
        return f"Device: {device_name(gpus)}; {parallel}"
    each = "1 thread" if threads == 1 else f"{threads} threads"
    return f"Device: CPU with {joblib.cpu_count()} cores; {parallel}, {each} each"


def device_name(gpus: list) -> str:
    """Return the names of the GPUs."""
    import tensorflow as tf

    return ", ".join(tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name) for gpu in gpus)


def write_cost(folder: Path, started: float) -> None:
    """Write time, memory and device of a split's training; `started` is `time.monotonic()` at its (last) start."""
    peak, _ = peak_memory_bytes()
    gpus = find_gpus()
    device = device_name(gpus) if gpus else f"CPU, {platform.machine()}"
    cost = {"seconds": round(time.monotonic() - started, 1), "peak_memory_gb": round(peak / 1e9, 2), "device": device}
    write_json(cost, folder / runs.COST)


def make_reproducible(seed: int, threads: int = 1) -> None:
    """Make results depend on the seed alone, for a given machine and number of threads, or a given model of GPU.

    With one thread, results do not depend on the number of processors either.
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
    """Set the number of TensorFlow threads of this process; has no effect after its first computation."""
    import tensorflow as tf

    try:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
    except RuntimeError:
        logger.debug("TensorFlow is already in use: results may differ in the last digits from a new process.")
