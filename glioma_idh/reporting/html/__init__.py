"""One HTML file that holds a whole report: words, figures, tables and scans, and nothing to fetch from anywhere.

Its figures and tables lie in a folder beside it too, for a manuscript.
"""

import base64
import contextlib
import itertools
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib.figure import Figure

from glioma_idh.errors import InputError
from glioma_idh.files import write_table, write_text
from glioma_idh.reporting.figures.canvas import SYNTHETIC_NOTE, save_figure
from glioma_idh.reporting.figures.cases import Case
from glioma_idh.reporting.html.viewer import pack_cases
from glioma_idh.reporting.tables.results import latex_table

GENERATOR = b'content="glioma_idh"'  # what a former page has near its start
LARGEST_SVG = 300_000  # bytes; a larger one is shown as PNG
NUMBER = re.compile(r"[-+−–<>≤≥=~±]?\s?\.?\d")
OPTION = re.compile(r"(?<!\S)(-[\w-]+)")
UNIT = re.compile(r" (?=±)|(?<=[±<>]) (?=\d)|(?<=\bp) (?=[<\d])|(?<=\d) (?=%|ml\b|mm\b|to [-+−]?\d)|(?<=\d to) ")

LIST = "files.txt"
HEAD = "Figures and tables of the page beside this folder. The next page of that name replaces those listed here:"
LISTED = re.compile(r"figures/[^/\\]+\.(png|svg)|tables/[^/\\]+\.(csv|tex)")
LONGEST = 60  # letters of a file name: no disk takes more than 255 bytes


class Paragraph(NamedTuple):
    text: str  # plain; a blank line begins a new paragraph


class Picture(NamedTuple):
    name: str  # of its files, without ending
    figure: Figure
    caption: str
    alt: str  # what is seen, for those who cannot see it


class Sheet(NamedTuple):
    name: str
    table: pd.DataFrame  # of text cells, all of whose columns are shown
    caption: str


class Listing(NamedTuple):
    text: str  # code, with a button that copies it


class Viewer(NamedTuple):
    cases: dict[str, Case]  # one or more, to look through slice by slice, by what the reader picks in the list


class Section(NamedTuple):
    title: str
    parts: list  # what stands below it, in order


FILES = {Picture: ("figures", ("png", "svg")), Sheet: ("tables", ("csv", "tex"))}  # in the folder beside the page


def write_page(
    path: Path, title: str, result: str, sections: list[Section], *, cautions: Sequence[str] = (), synthetic=False
) -> Path:
    """Write a page and, in `<stem>_files` beside it, its figures (PNG, SVG) and tables (CSV, LaTeX).

    Each file appears whole or not at all, the page last; then those of a former page of this name that are no longer
    wanted are gone.

    The arguments are those of `pages.Told`; cautions stand in a box below the title. The path is returned. InputError:
    a file cannot be written, or one that is not a report's is in its place.
    """
    if path.suffix.lower() not in (".html", ".htm"):
        raise InputError("a name that ends in .html", path.name, "Give the page another name.", file=path)
    if path.is_dir():
        raise InputError("a file to write the page to", "a folder", "Add a file name, report.html.", file=path)
    if path.exists() and GENERATOR not in path.read_bytes()[:2000]:
        advice = "Give the page another name, or take the file away."
        raise InputError("nothing, or a former report", "another file", advice, file=path)
    folder = files_folder(path)
    parts = [part for section in sections for part in section.parts]
    files = {}  # of each figure and table, in their order
    for kind, (inside, endings) in FILES.items():
        names = file_names([part.name for part in parts if isinstance(part, kind)])
        files[kind] = [[f"{inside}/{name}.{ending}" for ending in endings] for name in names]
    left = {kind: iter(enumerate(of_kind, start=1)) for kind, of_kind in files.items()}
    with replaced_files(folder, [file for of_kind in files.values() for both in of_kind for file in both]):
        shown = [(title, [_block(part, left, folder, synthetic) for part in of]) for title, of in sections]
        page = {"title": title, "result": result, "cautions": list(cautions), "sections": shown, "folder": folder.name}
        page |= {"mark": SYNTHETIC_NOTE if synthetic else "", "has_viewer": any(isinstance(p, Viewer) for p in parts)}
        write_text(_template().render(page), path)
    return path


def _template():
    """The page's template; every text that is put in is escaped."""
    settings = {"autoescape": True, "undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}
    templates = Environment(loader=PackageLoader("glioma_idh.reporting.html", "templates"), **settings)
    templates.policies["json.dumps_kwargs"] = {"sort_keys": False}
    templates.filters |= {
        "unbroken": lambda text: UNIT.sub("\N{NO-BREAK SPACE}", text),  # no number parted from its sign or unit
        "texts": lambda text: re.split(r"\n\s*\n", text.strip()),
        "options": lambda code: OPTION.split(code),
    }
    return templates.get_template("page.html")


def _block(part, left: dict, folder: Path, synthetic: bool) -> dict:
    """What the template shows of a part; the files of a picture or a sheet, the next ones left, are written."""
    if not isinstance(part, (Paragraph, Listing, Viewer, *FILES)):
        raise TypeError(f"expected a part of a page; found {type(part).__name__}")
    block = {"kind": type(part).__name__.lower()} | part._asdict()
    if type(part) in FILES:
        block["number"], files = next(left[type(part)])
        block["links"] = {file.rpartition(".")[2].upper(): quote(f"{folder.name}/{file}") for file in files}
        place = (folder / files[0]).with_suffix("")
    match part:
        case Viewer(cases):
            block["content"] = pack_cases(cases)
        case Picture(figure=figure):  # as SVG if that is small; in its own size, 96 CSS pixels an inch
            png, svg = save_figure(figure, place.parent, place.name)
            shown, kind = (svg, "svg+xml") if svg.stat().st_size <= LARGEST_SVG else (png, "png")
            block["source"] = f"data:image/{kind};base64,{base64.b64encode(shown.read_bytes()).decode()}"
            block["width"], block["height"] = (round(inches * 96) for inches in figure.get_size_inches())
        case Sheet(table=table, caption=caption):
            table = table.astype(object).fillna("").astype(str)
            mark = f"{SYNTHETIC_NOTE}. " if synthetic else ""
            write_table(table.assign(note=SYNTHETIC_NOTE) if synthetic else table, folder / files[0])
            write_text(latex_table(table, mark + caption, place.name), folder / files[1])
            block["columns"] = []  # with whether most cells that hold something begin with a number
            for n, name in enumerate(table.columns):
                filled = table.iloc[:, n][lambda cells: ~cells.str.strip().isin(["", "-", "–"])]
                is_number = n > 0 and len(filled) > 0 and filled.str.match(NUMBER).mean() > 0.5
                block["columns"].append((str(name), is_number))
            block["rows"] = table.to_numpy().tolist()
    return block


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
    """While a page and the `wanted` files of its folder are written; at the end, the former page's others are gone.

    What no page has written stays. InputError: such a file is in the place of a wanted one.
    """
    lines = (folder / LIST).read_text().splitlines() if (folder / LIST).is_file() else []
    former = {line for line in lines if LISTED.fullmatch(line)}
    others = [name for name in wanted if name not in former and (folder / name).exists()]
    if others:
        advice = "Move it elsewhere, or name another --out."
        raise InputError("a name that is free", "a file that is not a report's", advice, file=folder / others[0])
    if wanted or former:
        write_text("\n".join([HEAD, *sorted({*former, *wanted}), ""]), folder / LIST)
    yield
    for name in former.difference(wanted):
        (folder / name).unlink(missing_ok=True)
    if wanted or former:
        write_text("\n".join([HEAD, *sorted(set(wanted)), ""]), folder / LIST)


def files_folder(page: Path) -> Path:
    """The folder of a page's figures, tables and numbers."""
    return page.with_name(f"{page.stem}_files")
