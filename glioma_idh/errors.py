"""The one error that people meet: it names the subject, the file, what was expected, what came, and what to do."""

import sys
from typing import NoReturn


class InputError(ValueError):
    """Input that cannot be used, said so that the reader can mend it.

    Args:
        expected: what the package needs here.
        found: what it met instead.
        advice: what to do about it.
        file: the file it was met in, if any.
        subject: the subject it belongs to, if known.
    """

    def __init__(self, expected: str, found: str, advice: str, file="", subject: str = ""):
        super().__init__(expected, found, advice, file, subject)
        self.expected = expected
        self.found = found
        self.advice = advice
        self.file = str(file)
        self.subject = str(subject)

    def of_subject(self, subject: str) -> "InputError":
        """The same error, naming the subject it concerns."""
        return InputError(self.expected, self.found, self.advice, self.file, subject)

    def __str__(self) -> str:
        where = "".join(f"{part}: " for part in (self.subject, self.file) if part)
        return " ".join(f"{where}expected {self.expected}; found {self.found}. {self.advice}".split())  # on one line


def end_interrupted() -> NoReturn:
    """End a command that Ctrl-C has stopped: one line in place of a traceback, and the shell's exit status for it."""
    print("\nStopped. The same command goes on from what is done.", file=sys.stderr)
    sys.exit(130)
