"""The error for input that cannot be used, and how every command ends."""

import contextlib
import os
import select
import signal
import sys
from collections.abc import Iterator

STDOUT = 1  # its file's number


class InputError(ValueError):
    """Input that cannot be used: what was `expected`, what was `found`, and what to do about it (`advice`).

    `file` is where it was found, if in a file, and `subject` the subject that it belongs to, if known.
    """

    def __init__(self, expected: str, found: str, advice: str, file="", subject: str = ""):
        super().__init__(expected, found, advice, file, subject)
        self.expected, self.found, self.advice = expected, found, advice
        self.file, self.subject = str(file), str(subject)

    def of_subject(self, subject: str) -> "InputError":
        """The same error with the subject that it belongs to."""
        return InputError(self.expected, self.found, self.advice, self.file, subject)

    def __str__(self) -> str:
        where = "".join(f"{part}: " for part in (self.subject, self.file) if part)
        return " ".join(f"{where}expected {self.expected}; found {self.found}. {self.advice}".split())  # on one line


@contextlib.contextmanager
def ending_plainly() -> Iterator[None]:
    """End a command with one line instead of a traceback if its input cannot be used or if it is interrupted.

    The exit status is 1 for input that cannot be used. For Ctrl-C, and for an output that is closed early as by
    `| head`, it is that of the shell.
    """
    try:
        try:
            yield
        except SystemExit:
            sys.stdout.flush()  # a closed output is found here, and not as Python ends
            raise
        sys.stdout.flush()
    except InputError as error:
        sys.exit(f"Error: {error}")
    except KeyboardInterrupt:
        print("\nInterrupted. Give the same command again to continue.", file=sys.stderr)
        sys.exit(128 + signal.SIGINT)
    except BrokenPipeError:
        if not hasattr(select, "poll"):  # Windows
            raise
        output = select.poll()
        output.register(STDOUT, 0)
        if not output.poll(0):
            raise  # the output is open: the pipe broke between processes of the command
        os.dup2(os.open(os.devnull, os.O_WRONLY), STDOUT)  # for what Python still flushes as it ends
        sys.exit(128 + signal.SIGPIPE)
