"""Work spread over processes that end with the command that started them."""

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

import joblib
import numpy as np
import psutil
from joblib import delayed
from joblib.externals.loky.backend import resource_tracker as of_loky

from glioma_idh import log
from glioma_idh.errors import InputError
from glioma_idh.progress import progress

LOOK_EVERY_S = 0.5  # how often a worker looks whether its command is still there
SET_PARENT_DEATH_SIGNAL = 1  # of prctl(2), Linux
# What joblib warns of: a worker that has grown was replaced; Ctrl-C or an error ended calls that were not done.
MEANT_ENDS = r"A worker stopped while some jobs|.*You could benefit from adjusting the input task"


def run_parallel(calls: Iterable, jobs: int, ordered: bool = True) -> Iterator:
    """Go through calls in several processes, or in this one.

    A worker whose command was killed ends within a second, whatever it does: while it imports, works, waits or hands
    its result over. Ctrl-C at the terminal reaches the command alone, which ends its workers. Where a backend of joblib
    was chosen outside (`joblib.parallel_config`), that one is used as it is.

    `calls` are made by `joblib.delayed`; of `jobs`, processes at once, 1 is this one and -1 one a processor. Results
    come one at a time, in the order of the calls if `ordered`, else as they are done.
    """
    warnings.filterwarnings("ignore", message=MEANT_ENDS)
    kind = "generator" if ordered else "generator_unordered"
    if type(joblib.parallel.get_active_backend()[0]).__name__ != "LokyBackend":
        return joblib.Parallel(jobs, return_as=kind)(calls)
    by_kernel = threading.current_thread() is threading.main_thread()
    with joblib.parallel_config("loky", initializer=start_worker, initargs=(os.getpid(), by_kernel, log.settings())):
        parallel = joblib.Parallel(jobs, return_as=kind)
    with _interrupts_held_back():
        return parallel(calls)  # which starts the workers


def each_row(work: Callable, table, *settings, jobs: int = -1, what: str, quiet: bool = False) -> tuple:
    """Do `work(row, *settings)` with every row of a cohort table, side by side; an InputError: it cannot be used.

    Returns the rows that could be used, their results, and the errors of the others. `jobs` is as of `run_parallel`,
    `what` and `quiet` as of `progress`.
    """
    calls = (delayed(_result_or_error)(work, row, *settings) for _, row in table.iterrows())
    outcomes = list(progress(run_parallel(calls, jobs), total=len(table), what=what, quiet=quiet))
    errors = [outcome for outcome in outcomes if isinstance(outcome, InputError)]
    for error in errors:
        error.file = error.file or table.attrs.get("file", "")
    is_used = np.array([not isinstance(outcome, InputError) for outcome in outcomes], dtype=bool)  # of nobody too
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
    """End this process when its parent ends, and leave Ctrl-C to the parent.

    A thread watches whether the parent, an id, is there. An import can keep it waiting for seconds, so Linux is asked
    for a signal too, if `by_kernel`: it comes when the thread ends that started this process, so that thread must live
    as long as its process.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(LOOK_EVERY_S)
        for child in psutil.Process().children(recursive=True):  # programs that this process has started
            with contextlib.suppress(psutil.Error):
                child.kill()
        os._exit(1)

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if by_kernel and (ask := parent_death_request()) is not None:
        ask()
    threading.Thread(target=watch, name="end with parent", daemon=True).start()


def parent_death_request() -> Callable[[], None] | None:
    """A function that asks Linux to kill the process that calls it when its parent ends; None on other systems.

    It is also a `preexec_fn` of `subprocess`, for programs that a command starts and waits for.
    """
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(SET_PARENT_DEATH_SIGNAL, int(signal.SIGKILL), 0, 0, 0)


@contextlib.contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Within, processes and threads are started that Ctrl-C does not reach; here it comes at the end."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # Those that track the resources of processes are started before: they would let Ctrl-C through again.
    for tracker in (of_python, of_loky):
        tracker.ensure_running()
    former = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, former)
