"""The one error that people meet: it names the subject, the file, what was expected, what came, and what to do."""

import contextlib
import os
import select
import signal
import sys
from collections.abc import Iterator

STDOUT = 1  # its file's number


class InputError(ValueError):
    """Input that cannot be used, said so that the reader can mend it: what is `expected` here, what was `found`, and
    what to do about it; the `file` that it was met in, if any, and the `subject` that it belongs to, if known.
    """

    def __init__(self, expected: str, found: str, advice: str, file="", subject: str = ""):
        super().__init__(expected, found, advice, file, subject)
        self.expected, self.found, self.advice = expected, found, advice
        self.file, self.subject = str(file), str(subject)

    def of_subject(self, subject: str) -> "InputError":
        """The same error, naming the subject it concerns."""
        return InputError(self.expected, self.found, self.advice, self.file, subject)

    def __str__(self) -> str:
        where = "".join(f"{part}: " for part in (self.subject, self.file) if part)
        return " ".join(f"{where}expected {self.expected}; found {self.found}. {self.advice}".split())  # on one line


@contextlib.contextmanager
def ending_plainly() -> Iterator[None]:
    """What every command runs in: its last line, and no traceback, where input is wrong or the command is stopped.

    The exit status is 1 for wrong input, that of the shell for Ctrl-C, and where nobody reads on, as behind `| head`.
    """
    try:
        yield
        sys.stdout.flush()
    except InputError as error:
        sys.exit(f"Cannot go on: {error}")
    except KeyboardInterrupt:
        print("\nStopped. The same command goes on from what is done.", file=sys.stderr)
        sys.exit(128 + signal.SIGINT)
    except BrokenPipeError:
        if not hasattr(select, "poll"):  # Windows
            raise
        output = select.poll()
        output.register(STDOUT, 0)
        if not output.poll(0):
            raise  # somebody reads the output: it broke between processes of the command
        os.dup2(os.open(os.devnull, os.O_WRONLY), STDOUT)  # for what Python flushes at its end
        sys.exit(128 + signal.SIGPIPE)
