"""Files appear whole or not at all, so that a kill or a full disk leaves the former one as it was."""

import contextlib
import json
import os
import platform
from pathlib import Path

import psutil

from glioma_idh.errors import InputError

SCORE_FORMAT = "%.9g"  # every float32 comes back as it was


@contextlib.contextmanager
def written_whole(path):
    """A path to write to, which takes the place of `path` only once the writing has succeeded; its folder is made.

    What a process of this machine that was killed left of the same file goes. A full disk, or a folder that cannot be
    written, is an InputError; `path` is then as it was.
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
        advice = "Free some space or name another folder (--run-dir, --out, GLIOMA_IDH_CACHE);"
        advice += " the same command goes on from what is there."
        raise InputError("to write this file", error.strerror or str(error), advice, file=path) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def require_writable(folder: Path) -> None:
    """Raise an InputError where a folder, or the folder that it would be made in, cannot be written."""
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        found = "a folder without write permission" if there.is_dir() else "a file"
        raise InputError("a folder for the results", found, "Name another folder.", file=there)


def require_file_writable(file: Path) -> None:
    """Raise an InputError where a file cannot be written: it is a folder, or its folder cannot be written."""
    if file.is_dir():
        raise InputError("a file for the results", "a folder", "Name a file in it.", file=file)
    require_writable(file.absolute().parent)


def write_table(table, path) -> None:
    """Write a DataFrame as CSV, whole or not at all."""
    with written_whole(path) as part:
        table.to_csv(part, index=False, float_format=SCORE_FORMAT, lineterminator="\n")


def write_json(content: dict, path) -> None:
    """Write JSON, whole or not at all; NaN becomes null."""
    text = json.dumps(json.loads(json.dumps(content, default=str), parse_constant=lambda _: None), indent=2)
    write_text(text + "\n", path)


def write_text(text: str, path) -> None:
    """Write a text, whole or not at all."""
    with written_whole(path) as part:
        part.write_text(text, encoding="utf-8")
