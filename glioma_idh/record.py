"""The record of a command, `run.json`, beside its outputs: inputs, versions, time, warnings and exit status."""

import contextlib
import hashlib
import importlib.metadata
import platform
import signal
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psutil

from glioma_idh import log
from glioma_idh.errors import InputError, ending_plainly
from glioma_idh.files import require_writable, write_json

PROGRAM = "glioma-idh"
RUN = "run.json"
PACKAGES = ("glioma-idh", "tensorflow", "keras", "numpy", "scipy", "scikit-learn", "nibabel")
SHEETS = {".csv", ".tsv", ".txt", ".xlsx"}  # hashed inputs; hashes of images are in cohort.csv
OUTPUTS = SHEETS | {".json", ".keras", ".html", ".md"}  # hashed outputs: tables, JSON, networks and reports
DEPTHS = "*", "*/*", "*/*/*"  # levels of a folder that are searched for outputs


@dataclass
class Record:
    """The content of `run.json`, with the same fields for every command."""

    command: str  # as typed: `glioma-idh train gbm2d`, or the module of `python -m`
    arguments: list[str]  # as typed; for single patients, paths are replaced by `PATH`, since they may contain names
    started: str  # UTC, ISO 8601
    versions: dict[str, str]  # of Python and of the packages that affect results
    seeds: dict[str, int | list[int]]  # by the name of the setting
    inputs: dict[str, str] = field(default_factory=dict)  # SHA-256 of tables and of recipes of runs, by path
    outputs: dict[str, str] = field(default_factory=dict)  # SHA-256 of new files (`OUTPUTS`), by path in the folder
    seconds: float = 0.0  # duration
    peak_memory_gb: float = 0.0  # highest peak of the command or one of its processes
    exit_status: int = 0  # of the command
    warnings: list[str] = field(default_factory=list)  # Python warnings
    errors: list[str] = field(default_factory=list)  # the error that ended it; empty after success


_folders: dict[Path, dict[Path, int]] = {}  # output folders of the running command: files at its start, and their times
_read: set[Path] = set()


def typed_command(module: str) -> str:
    """Return the command as it was typed: such as `glioma-idh train gbm2d`, or `python -m` and the module."""
    return sys.argv[0] if sys.argv[0].startswith(f"{PROGRAM} ") else f"python -m {module}"


def into(folder: Path, will_write: bool = True) -> None:
    """Register an output folder of the running command; its record is written there.

    If `will_write`, raise InputError if the folder is not writable, so that the error comes before hours of work.
    """
    folder = Path(folder).absolute()
    if will_write:
        require_writable(folder)
    _folders.setdefault(folder, _times(folder))


def reads(file: Path) -> None:
    """Register an input file of the running command."""
    _read.add(Path(file).absolute())


@contextlib.contextmanager
def recorded(command: str, *settings, folder: Path | None = None, of_patients: bool = False) -> Iterator[None]:
    """Run a command (a module) so that it ends with a plain message and leaves its record beside its outputs.

    A command that writes nothing new leaves the earlier record unchanged. `settings` are the dataclasses of the command
    line. `folder` is the folder of the outputs, if it is already known; `into` names further ones. If the command reads
    single patients (`of_patients`), no paths and messages are kept, as they may contain names.
    """
    given = {name: value for of in settings for name, value in vars(of).items()}
    seeds = {name: value for name, value in given.items() if "seed" in name and value is not None}
    arguments = [_hidden(argument) if of_patients else argument for argument in sys.argv[1:]]
    started = datetime.now(UTC).isoformat(timespec="seconds")
    record = Record(typed_command(command).removeprefix("python -m "), arguments, started, versions(), seeds)
    clock, shown = time.monotonic(), warnings.showwarning

    def keep(message, category, *where, **more) -> None:
        record.warnings.append(category.__name__ if of_patients else f"{category.__name__}: {message}")
        shown(message, category, *where, **more)

    with ending_plainly(), log.shown():
        _folders.clear()
        _read.clear()
        if folder is not None:
            into(folder)
        for value in given.values():
            for path in value if isinstance(value, tuple) else [value]:
                if isinstance(path, (str, Path)) and Path(path).suffix.lower() in SHEETS and Path(path).is_file():
                    reads(Path(path))
        warnings.showwarning = keep
        try:
            yield
        except BaseException as error:
            record.exit_status = _status(error)
            if not isinstance(error, SystemExit) or isinstance(error.code, str):
                text = getattr(error, "expected", "") if of_patients else str(error)
                record.errors = [f"{type(error).__name__}: {text}".removesuffix(": ")]
            raise
        finally:
            warnings.showwarning = shown
            record.seconds = round(time.monotonic() - clock, 1)
            record.peak_memory_gb = round(max(peak_memory_bytes()) / 1e9, 2)
            for folder, before in _folders.items():
                with contextlib.suppress(OSError, InputError):  # the command has reported a full disk itself
                    _write(record, folder, before, of_patients)


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that affect results."""
    installed = {"python": platform.python_version()}
    for name in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            installed[name] = importlib.metadata.version(name)
    return installed


def peak_memory_bytes() -> tuple[int, int]:
    """Return the peak memory of this process, and the highest of its child processes, in bytes."""
    if sys.platform == "win32":
        return psutil.Process().memory_info().peak_wset, 0
    import resource

    scale = 1 if sys.platform == "darwin" else 1024  # Linux reports kilobytes
    whose = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN
    own, others = (resource.getrusage(of).ru_maxrss * scale for of in whose)
    return own, others


def _write(record: Record, folder: Path, before: dict[Path, int], of_patients: bool) -> None:
    """Write the record of the command into one of its folders."""
    new = [file for file, time_ns in _times(folder).items() if before.get(file) != time_ns]
    if not folder.is_dir() or (not new and (folder / RUN).exists()):
        return
    record.outputs = {file.relative_to(folder).as_posix(): _sha256(file) for file in sorted(new)}
    read = sorted(file for file in _read if not file.is_relative_to(folder) and file.is_file())
    record.inputs = {file.name if of_patients else str(file): _sha256(file) for file in read}
    write_json(asdict(record), folder / RUN)


def _times(folder: Path) -> dict[Path, int]:
    """Return the modification time of each output in a folder, ns."""
    files = [file for depth in DEPTHS for file in folder.glob(depth) if file.suffix in OUTPUTS and file.name != RUN]
    return {file: file.stat().st_mtime_ns for file in files if file.is_file()}


def _sha256(file: Path) -> str:
    with open(file, "rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _hidden(argument: str) -> str:
    """Return an argument, or `PATH` in the place of a path."""
    flag, equals, value = argument.partition("=") if argument.startswith("--") else ("", "", argument)
    return f"{flag}{equals}PATH" if "/" in value or "\\" in value or (value and Path(value).exists()) else argument


def _status(error: BaseException) -> int:
    """Return the exit status of a command (`errors.ending_plainly`)."""
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    signals = {KeyboardInterrupt: signal.SIGINT, BrokenPipeError: getattr(signal, "SIGPIPE", signal.SIGINT)}
    return next((128 + number for kind, number in signals.items() if isinstance(error, kind)), 1)
