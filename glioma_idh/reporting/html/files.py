"""The files beside a page: its figures and tables, for a manuscript."""

import contextlib
import itertools
import re
import unicodedata
from pathlib import Path

from glioma_idh.errors import InputError
from glioma_idh.files import write_text

LIST = "files.txt"
HEAD = "Figures and tables of the page beside this folder. The next page of that name replaces those listed here:"
LISTED = re.compile(r"figures/[^/\\]+\.(png|svg)|tables/[^/\\]+\.(csv|tex)")
LONGEST = 60  # letters of a file name: no disk takes more than 255 bytes


def file_names(names: list[str]) -> list[str]:
    """Names that any disk takes, all of them different: letters and digits of any script, `-`, `_` and `.`."""
    taken, files = set(), []
    for name in names:
        stem = re.sub(r"[^\w.-]+", "_", unicodedata.normalize("NFC", name))[:LONGEST].strip("._") or "unnamed"
        ways = itertools.chain([stem], (f"{stem}_{n}" for n in itertools.count(2)))
        files.append(next(way for way in ways if way.casefold() not in taken))
        taken.add(files[-1].casefold())
    return files


@contextlib.contextmanager
def replaced_files(folder: Path, wanted: list[str]):
    """While a page and these files of its folder are written; at the end, the former page's others are gone.

    Args:
        folder: of the page; what no page has written there stays as it is.
        wanted: paths inside it.

    Raises:
        InputError: a file is there that no page has written.
    """
    lines = (folder / LIST).read_text().splitlines() if (folder / LIST).is_file() else []
    former = {line for line in lines if LISTED.fullmatch(line)}
    others = [name for name in wanted if name not in former and (folder / name).exists()]
    if others:
        advice = "Move it elsewhere, or name another --out."
        raise InputError("a name that is free", "a file that is not a report's", advice, file=folder / others[0])
    if wanted or former:
        _write_list(folder, {*former, *wanted})
    yield
    for name in former.difference(wanted):
        (folder / name).unlink(missing_ok=True)
    if wanted or former:
        _write_list(folder, set(wanted))


def files_folder(page: Path) -> Path:
    """The folder of a page's figures, tables and numbers."""
    return page.with_name(f"{page.stem}_files")


def _write_list(folder: Path, names: set[str]) -> None:
    write_text("\n".join([HEAD, *sorted(names), ""]), folder / LIST)
