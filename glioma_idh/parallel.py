"""Work spread over processes that end with the command that started them."""

import os
import threading
import time
from collections.abc import Iterable, Iterator

LOOK_EVERY_S = 0.5
"""How often a worker looks whether its command is still there."""


def run_parallel(calls: Iterable, jobs: int, ordered: bool = True) -> Iterator:
    """Go through calls in several processes, or in this one.

    A worker whose command was killed ends within a second, whatever it does: while it imports, works, waits or hands
    its result over. Where a backend of joblib was chosen outside (`joblib.parallel_config`), that one is used as it is.

    Args:
        calls: made by `joblib.delayed`.
        jobs: processes at once; 1 is this one, -1 one a processor.
        ordered: results come in the order of the calls, else as they are done.

    Returns:
        The results, one at a time.
    """
    from joblib import Parallel, parallel_config
    from joblib.parallel import get_active_backend

    kind = "generator" if ordered else "generator_unordered"
    if type(get_active_backend()[0]).__name__ != "LokyBackend":
        return Parallel(jobs, return_as=kind)(calls)
    with parallel_config("loky", initializer=end_with_parent, initargs=(os.getpid(),)):
        parallel = Parallel(jobs, return_as=kind)
    return parallel(calls)


def end_with_parent(parent: int) -> None:
    """Watch from a thread whether the parent process is still there, and end this process when it is not."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(LOOK_EVERY_S)
        os._exit(1)

    threading.Thread(target=watch, name="end with parent", daemon=True).start()
