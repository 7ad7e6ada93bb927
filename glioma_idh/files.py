"""Write files atomically: after a kill or on a full disk, the previous file is unchanged."""

import contextlib
import json
import os
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from glioma_idh.errors import InputError

if TYPE_CHECKING:  # pandas takes long to import, and --help must be fast
    import pandas as pd

SCORE_FORMAT = "%.9g"  # enough digits to restore every float32 exactly


@contextlib.contextmanager
def written_whole(path: str | Path) -> Iterator[Path]:
    """Write atomically: yield a temporary path that replaces `path` on success. Missing folders are created.

    Also removes temporary files that killed processes on this machine left for `path`. If the file cannot be written,
    for example on a full disk, an InputError is raised and `path` is unchanged.
    """
    path = Path(path)
    part = path.with_name(f"part-{platform.node()}-{os.getpid()}-{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        start, end = f"part-{platform.node()}-", f"-{path.name}"
        for name in os.listdir(path.parent):
            pid = name[len(start) : -len(end)]
            if name.startswith(start) and name.endswith(end) and pid.isdecimal() and not psutil.pid_exists(int(pid)):
                path.with_name(name).unlink(missing_ok=True)
        yield part
        os.replace(part, path)
    except OSError as error:
        advice = "Free some space or choose another folder (--run-dir, --out, GLIOMA_IDH_CACHE)."
        advice += " Run the same command again to continue."
        raise InputError("to write this file", error.strerror or str(error), advice, file=path) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def require_writable(folder: Path) -> None:
    """Raise an InputError if a folder is not writable, or cannot be created."""
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        found = "a folder without write permission" if there.is_dir() else "a file"
        raise InputError("a folder for the results", found, "Choose another folder.", file=there)


def require_file_writable(file: Path) -> None:
    """Raise an InputError if a file cannot be written."""
    if file.is_dir():
        raise InputError("a file for the results", "a folder", "Name a file in it.", file=file)
    require_writable(file.absolute().parent)


def write_table(table: "pd.DataFrame", path: str | Path) -> None:
    """Write a table as CSV, atomically."""
    with written_whole(path) as part:
        table.to_csv(part, index=False, float_format=SCORE_FORMAT, lineterminator="\n")


def write_json(content: dict, path: str | Path) -> None:
    """Write JSON, atomically; NaN becomes null."""
    text = json.dumps(json.loads(json.dumps(content, default=str), parse_constant=lambda _: None), indent=2)
    write_text(text + "\n", path)


def write_text(text: str, path: str | Path) -> None:
    """Write a text file, atomically."""
    with written_whole(path) as part:
        part.write_text(text, encoding="utf-8")
