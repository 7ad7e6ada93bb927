"""Parallel work in processes that end with the command that started them."""

import contextlib
import ctypes
import multiprocessing.resource_tracker as of_python
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import joblib
import numpy as np
import pandas as pd
import psutil
from joblib import delayed
from joblib.externals.loky.backend import resource_tracker as of_loky

from glioma_idh import log
from glioma_idh.errors import InputError
from glioma_idh.progress import progress

CHECK_EVERY_S = 0.5  # how often a worker checks whether its command still runs
SET_PARENT_DEATH_SIGNAL = 1  # of prctl(2), Linux
# Warnings of joblib on intended events: a worker was replaced to free memory; Ctrl-C or an error cancelled calls.
HARMLESS = r"A worker stopped while some jobs|.*You could benefit from adjusting the input task"


def run_parallel(calls: Iterable, jobs: int, ordered: bool = True) -> Iterator:
    """Run calls in several processes, or in this one; yields their results.

    If the command is killed, its workers end within a second. Ctrl-C reaches only the command, which ends its workers.
    A joblib backend chosen by the caller (`joblib.parallel_config`) is used unchanged.

    Args:
        calls: made by `joblib.delayed`.
        jobs: number of processes; 1 is this process, -1 is one per processor.
        ordered: yield results in the order of the calls, else as they finish.
    """
    warnings.filterwarnings("ignore", message=HARMLESS)
    kind = "generator" if ordered else "generator_unordered"
    if type(joblib.parallel.get_active_backend()[0]).__name__ != "LokyBackend":
        return joblib.Parallel(jobs, return_as=kind)(calls)
    by_kernel = threading.current_thread() is threading.main_thread()
    with joblib.parallel_config("loky", initializer=start_worker, initargs=(os.getpid(), by_kernel, log.settings())):
        parallel = joblib.Parallel(jobs, return_as=kind)
    with _interrupts_held_back():
        return parallel(calls)  # which starts the workers


def each_row(
    work: Callable, table: pd.DataFrame, *settings: Any, jobs: int = -1, what: str, quiet: bool = False
) -> tuple[pd.DataFrame, list, list[InputError]]:
    """Call `work(row, *settings)` for every row of a cohort table, in parallel. It may raise an InputError.

    Args:
        jobs: as for `run_parallel`.
        what, quiet: as for `progress`.

    Returns:
        The rows without error, their results, and the errors of the other rows.
    """
    calls = (delayed(_result_or_error)(work, row, *settings) for _, row in table.iterrows())
    outcomes = list(progress(run_parallel(calls, jobs), total=len(table), what=what, quiet=quiet))
    errors = [outcome for outcome in outcomes if isinstance(outcome, InputError)]
    for error in errors:
        error.file = error.file or table.attrs.get("file", "")
    is_used = np.array([not isinstance(outcome, InputError) for outcome in outcomes], dtype=bool)  # also if empty
    results = [outcome for outcome in outcomes if not isinstance(outcome, InputError)]
    return table[is_used].reset_index(drop=True), results, errors


def _result_or_error(work: Callable, row, *settings):
    try:
        return work(row, *settings)
    except InputError as error:
        return error


def start_worker(parent: int, by_kernel: bool, log_settings: tuple[int, bool]) -> None:
    """Let this process end with its parent (`end_with_parent`) and log as its parent does (`log.settings`)."""
    log.set_up_worker(*log_settings)
    end_with_parent(parent, by_kernel)


def end_with_parent(parent: int, by_kernel: bool) -> None:
    """End this process when its parent process (an id) ends, and leave Ctrl-C to the parent.

    A thread checks for the parent. Because an import can block this thread for seconds, with `by_kernel` Linux also
    sends a signal. That signal is sent when the thread that started this process ends, so `by_kernel` is only for
    threads that live as long as their process.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(CHECK_EVERY_S)
        for child in psutil.Process().children(recursive=True):  # programs started by this process
            with contextlib.suppress(psutil.Error):
                child.kill()
        os._exit(1)

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if by_kernel and (ask := parent_death_request()) is not None:
        ask()
    threading.Thread(target=watch, name="end with parent", daemon=True).start()


def parent_death_request() -> Callable[[], None] | None:
    """Return a function that makes Linux kill the calling process when its parent ends; None on other systems.

    The function can be the `preexec_fn` of `subprocess`.
    """
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(SET_PARENT_DEATH_SIGNAL, int(signal.SIGKILL), 0, 0, 0)


@contextlib.contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Start processes and threads within this block that Ctrl-C does not reach; Ctrl-C takes effect at its end."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # Start the resource trackers first, because starting them unblocks Ctrl-C.
    for tracker in (of_python, of_loky):
        tracker.ensure_running()
    former = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, former)
