"""What a command has done, in `run.json` beside its outputs: from what, with which versions, and how it ended."""

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
SHEETS = {".csv", ".tsv", ".txt", ".xlsx"}  # inputs that are hashed; the voxels of images have hashes in cohort.csv
OUTPUTS = SHEETS | {".json", ".keras", ".html", ".md"}  # that are hashed: tables, JSON, networks and pages
DEPTHS = "*", "*/*", "*/*/*"  # of a folder, that outputs lie in


@dataclass
class Record:
    """The content of `run.json`, the same for every command."""

    command: str  # as typed: `glioma-idh train gbm2d`, or the module behind `python -m`
    arguments: list[str]  # as typed. Where patients are read one by one, a path is `PATH`: it may hold a name
    started: str  # UTC, ISO 8601
    versions: dict[str, str]  # of Python and of the packages that a result depends on
    seeds: dict[str, int | list[int]]  # by the name of the setting
    inputs: dict[str, str] = field(default_factory=dict)  # SHA-256 of each sheet, and of each run's recipe, by path
    outputs: dict[str, str] = field(default_factory=dict)  # of what is new (`OUTPUTS`), by path within the folder
    seconds: float = 0.0  # that it took
    peak_memory_gb: float = 0.0  # most memory of the command itself, or of one of its processes
    exit_status: int = 0  # as the shell sees it
    warnings: list[str] = field(default_factory=list)  # of Python
    errors: list[str] = field(default_factory=list)  # what it ended with; none where it did its work


_folders: dict[Path, dict[Path, int]] = {}  # of the command at work: what lay in each, and its time
_read: set[Path] = set()


def typed_command(module: str) -> str:
    """The command as it was typed: `glioma-idh` with its command (`cli` leaves it in `sys.argv`), or `python -m`."""
    return sys.argv[0] if sys.argv[0].startswith(f"{PROGRAM} ") else f"python -m {module}"


def into(folder: Path, will_write: bool = True) -> None:
    """Note that the command writes its outputs, and therefore its record, into this folder.

    An InputError where it `will_write` and cannot: better now than after hours of work.
    """
    folder = Path(folder).absolute()
    if will_write:
        require_writable(folder)
    _folders.setdefault(folder, _times(folder))


def reads(file: Path) -> None:
    """The command at work reads this file."""
    _read.add(Path(file).absolute())


@contextlib.contextmanager
def recorded(command: str, *settings, folder: Path | None = None, of_patients: bool = False) -> Iterator[None]:
    """What every command (a module) runs in: it ends plainly, and its record lies beside its outputs.

    Where it has written nothing new, the record that is there stays. `settings` are the dataclasses of its command
    line; `folder` is that of its outputs, if known by now (`into` names others). Where it reads patients one by one
    (`of_patients`), no path and no message is kept, as it may hold a name.
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
        _folders.clear(), _read.clear()
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
                with contextlib.suppress(OSError, InputError):  # of a full disk the command has spoken itself
                    _write(record, folder, before, of_patients)


def versions() -> dict:
    """Versions of Python and of the packages that a result depends on."""
    installed = {"python": platform.python_version()}
    for name in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            installed[name] = importlib.metadata.version(name)
    return installed


def peak_memory_bytes() -> tuple[int, int]:
    """The most memory that this process, and that one of those it has started, has held."""
    if sys.platform == "win32":
        return psutil.Process().memory_info().peak_wset, 0
    import resource

    scale = 1 if sys.platform == "darwin" else 1024  # Linux counts in kilobytes
    whose = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN
    own, others = (resource.getrusage(of).ru_maxrss * scale for of in whose)
    return own, others


def _write(record: Record, folder: Path, before: dict[Path, int], of_patients: bool) -> None:
    """The record of the command into one of its folders."""
    new = [file for file, time_ns in _times(folder).items() if before.get(file) != time_ns]
    if not folder.is_dir() or (not new and (folder / RUN).exists()):
        return
    record.outputs = {file.relative_to(folder).as_posix(): _sha256(file) for file in sorted(new)}
    read = sorted(file for file in _read if not file.is_relative_to(folder) and file.is_file())
    record.inputs = {file.name if of_patients else str(file): _sha256(file) for file in read}
    write_json(asdict(record), folder / RUN)


def _times(folder: Path) -> dict[Path, int]:
    """When each output in a folder was written, ns."""
    files = [file for depth in DEPTHS for file in folder.glob(depth) if file.suffix in OUTPUTS and file.name != RUN]
    return {file: file.stat().st_mtime_ns for file in files if file.is_file()}


def _sha256(file: Path) -> str:
    with open(file, "rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _hidden(argument: str) -> str:
    """An argument; `PATH` where it is one."""
    flag, equals, value = argument.partition("=") if argument.startswith("--") else ("", "", argument)
    return f"{flag}{equals}PATH" if "/" in value or "\\" in value or (value and Path(value).exists()) else argument


def _status(error: BaseException) -> int:
    """What a command exits with (`errors.ending_plainly`)."""
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    signals = {KeyboardInterrupt: signal.SIGINT, BrokenPipeError: getattr(signal, "SIGPIPE", signal.SIGINT)}
    return next((128 + number for kind, number in signals.items() if isinstance(error, kind)), 1)
