"""Log lines of the package: on standard error while a command runs, elsewhere as the user sets up `logging`.

Every module logs to `logging.getLogger(__name__)`: progress and facts at level INFO, remarks on the input at WARNING.
Used from Python, warnings reach standard error by Python's own default, and progress lines after
`logging.basicConfig(level=logging.INFO)`. `logging.getLogger("glioma_idh").setLevel(logging.ERROR)` silences both.
"""

import contextlib
import logging
import sys
from collections.abc import Iterator

from tqdm import tqdm

LOGGER = logging.getLogger("glioma_idh")


class StandardError(logging.Handler):
    """Writes the message alone to what is `sys.stderr` at that time, above the progress bars of a terminal.

    Each message is one write, so that lines of several processes do not mix. Where the stream is closed, it is dropped.
    """

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(OSError, ValueError):
            bars = tqdm.external_write_mode(file=sys.stderr) if sys.stderr.isatty() else contextlib.nullcontext()
            with bars:
                sys.stderr.write(f"{self.format(record)}\n")
                sys.stderr.flush()


@contextlib.contextmanager
def shown() -> Iterator[None]:
    """Within, log lines of the package are written to standard error, whatever `logging` is set to."""
    former = LOGGER.handlers, LOGGER.level, LOGGER.propagate
    LOGGER.handlers, LOGGER.propagate = [StandardError()], False
    LOGGER.setLevel(logging.INFO)
    try:
        yield
    finally:
        LOGGER.handlers, LOGGER.propagate = former[0], former[2]
        LOGGER.setLevel(former[1])


def settings() -> tuple[int, bool]:
    """The level of this process's log lines, and whether a handler takes them; for `set_up_worker`."""
    return LOGGER.getEffectiveLevel(), LOGGER.hasHandlers()


def set_up_worker(level: int, is_handled: bool) -> None:
    """Set up the log of a worker process like that of its parent (`settings`); handled lines go to standard error."""
    LOGGER.setLevel(level)
    if is_handled:
        LOGGER.handlers, LOGGER.propagate = [StandardError()], False


def is_silenced() -> bool:
    """Whether the user has set a level for this package at which it logs no progress; then no bars are drawn either."""
    return LOGGER.level > logging.INFO
