"""How far a long step is: a bar at a terminal; elsewhere, as in a log file, lines at growing intervals."""

import contextlib
import logging
import sys
import threading
import time
from collections.abc import Iterable, Iterator

from tqdm import tqdm

from glioma_idh import log

FIRST_S = 10.0  # until the first line; shorter steps need none
SHORTEST_S, LONGEST_S = 30.0, 300.0  # from one line to the next
SHARE = 0.2  # of the time so far, within these limits
SCALES = {"B": (1e6, "MB")}  # units that are counted in larger ones
logger = logging.getLogger(__name__)


def progress(items=None, *, total: float, what: str, unit: str = "subject", quiet: bool = False, **bar):
    """What shows how far a step is, to be iterated over or to be moved by `update`: a `tqdm`, or `Lines` in a log.

    `items`, `total`, `what` and `unit` are as `Lines` takes them, which of the further settings for `tqdm` takes
    `initial`, and `leave` as `always`. If `quiet`, or if the user has silenced the log, nothing is shown.
    """
    quiet = quiet or log.is_silenced()
    if quiet or sys.stderr.isatty():
        return tqdm(items, **{"desc": what, "total": total, "unit": unit, "disable": quiet, **bar})
    return Lines(items, total, what, unit, bar.get("initial", 0), bar.get("leave", False))


def leave(shown) -> None:
    """End what `progress` gives, and leave a bar as it stands: `close` would draw it again on the cursor's line."""
    if isinstance(shown, Lines):
        shown.close()
    else:
        shown.refresh()
        shown.disable = True


@contextlib.contextmanager
def step(what: str, quiet: bool = False) -> Iterator[None]:
    """Within, a line now and then says that a step without countable parts goes on, where there is no terminal."""
    if quiet or sys.stderr.isatty():
        yield
        return
    with Lines(None, None, what):
        yield


class Lines:
    """Log lines about how far a step is, from a thread that looks at the clock.

    The step itself only counts, so it is not slowed down, and a part that takes long does not silence it. The methods
    are those of a `tqdm`.
    """

    def __init__(
        self,
        items: Iterable | None,  # the things that are done one after the other, if it is iterated over
        total: float | None,  # how many there are; None where nothing is counted
        what: str,  # is done
        unit: str = "subject",  # of the total
        initial: float = 0,  # how many are done already
        always: bool = False,  # write a last line although no other was due
    ):
        self.items, self.total, self.what, self.unit = items, total, what, unit
        self.initial = self.n = initial
        self.always, self.values = always, ""
        self.start = self.moved = time.monotonic()
        self.num_lines, self.over = 0, threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def __iter__(self) -> Iterator:
        with self:
            for item in self.items:
                yield item
                self.update()

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.close()

    def update(self, count: float = 1) -> None:
        if count:
            self.n, self.moved = self.n + count, time.monotonic()

    def set_description(self, what: str, refresh: bool = True) -> None:
        self.what = what

    def set_postfix(self, values: dict[str, str], refresh: bool = True) -> None:
        self.values = "".join(f", {name} {value}" for name, value in values.items())

    def close(self) -> None:
        """The step is over; the last line says so where another was written before it, and all is done."""
        if self.over.is_set():
            return
        self.over.set()
        is_done = self.total is None or self.n >= self.total
        if is_done and (self.num_lines or self.always):
            logger.info(f"{self._state()}; done in {in_words(time.monotonic() - self.start)}")

    def _watch(self) -> None:
        """Log a line when it is due, until the step is over."""
        wait_s = FIRST_S
        while not self.over.wait(wait_s):
            now = time.monotonic()
            logger.info(self._line(now))
            self.num_lines += 1
            wait_s = interval_s(now - self.start)

    def _line(self, now: float) -> str:
        """How far it is, how long it has taken, and about how long it will take."""
        line = f"{self._state()}; {in_words(now - self.start)}"
        if self.total is None or self.n <= self.initial:
            return f"{line} so far"
        each_s = (self.moved - self.start) / (self.n - self.initial)
        left_s = max(0.0, each_s * (self.total - self.n) - (now - self.moved))
        return f"{line} so far, about {in_words(left_s)} left"

    def _state(self) -> str:
        """What is done, and how many of how many."""
        if self.total is None:
            return self.what
        scale, unit = SCALES.get(self.unit, (1, self.unit + "s" * (self.total != 1)))
        return f"{self.what}: {self.n / scale:.0f} of {self.total / scale:.0f} {unit}{self.values}"


def interval_s(elapsed_s: float) -> float:
    """Seconds from one line to the next, of a step that has taken so long."""
    return min(LONGEST_S, max(SHORTEST_S, SHARE * elapsed_s))


def in_words(seconds: float) -> str:
    """A time as people say it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
