"""One HTML file that holds a whole report: words, figures, tables and scans, and nothing to fetch from anywhere."""

import base64
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from matplotlib.figure import Figure

from glioma_idh.errors import InputError
from glioma_idh.files import write_text
from glioma_idh.reporting.figures.canvas import SYNTHETIC_NOTE, save_figure
from glioma_idh.reporting.figures.cases import Case
from glioma_idh.reporting.html.files import file_names, replaced_files, write_sheet
from glioma_idh.reporting.html.viewer import pack_cases

GENERATOR = b'content="glioma_idh"'  # what a former page has near its start
LARGEST_SVG = 300_000  # bytes; a larger one is shown as PNG
NUMBER = re.compile(r"[-+−–<>≤≥=~±]?\s?\.?\d")
UNIT = re.compile(r" (?=±)|(?<=[±<>]) (?=\d)|(?<=\bp) (?=[<\d])|(?<=\d) (?=%|ml\b|mm\b|to [-+−]?\d)|(?<=\d to) ")


class Paragraph(NamedTuple):
    """Plain text; a blank line begins a new paragraph."""

    text: str


class Picture(NamedTuple):
    """A figure; `name` is its file's without ending, `alt` says what is seen to those who cannot see it."""

    name: str
    figure: Figure
    caption: str
    alt: str


class Sheet(NamedTuple):
    """A table of text cells, all of whose columns are shown."""

    name: str
    table: pd.DataFrame
    caption: str


class Listing(NamedTuple):
    """Code, with a button that copies it."""

    text: str


class Viewer(NamedTuple):
    """Subjects to look through slice by slice, one or more, by what the reader picks in the list."""

    cases: dict[str, Case]


class Section(NamedTuple):
    """A title and, in order, what stands below it."""

    title: str
    parts: list


class Place(NamedTuple):
    """A figure's or table's number on the page and its files beside it, paths without endings in their folder."""

    number: int
    path: str
    endings: tuple[str, str]

    @property
    def files(self) -> list[str]:
        """Paths in the folder of the page."""
        return [f"{self.path}.{ending}" for ending in self.endings]


def write_page(
    path: Path,
    title: str,
    result: str,
    sections: list[Section],
    *,
    cautions: Sequence[str] = (),
    synthetic: bool = False,
) -> Path:
    """Write a page and, in `<stem>_files` beside it, its figures (PNG, SVG) and tables (CSV, LaTeX).

    Each file appears whole or not at all, the page last; then those of a former page of this name that are no longer
    wanted are gone.

    Args:
        path: of the HTML file.
        title: of the page.
        result: what it all comes to, in a sentence.
        sections: what follows.
        cautions: what must be known before the first number; a box below the title, where there are any.
        synthetic: whether it is about phantoms; every section then says so.

    Returns:
        The path.

    Raises:
        InputError: a file cannot be written, or one that is not a report's is in its place.
    """
    path = Path(path)
    _check_place(path)
    folder = path.with_name(f"{path.stem}_files")
    parts = [part for section in sections for part in section.parts]
    figures, tables = (
        _places(parts, Picture, "figures", ("png", "svg")),
        _places(parts, Sheet, "tables", ("csv", "tex")),
    )
    places = {Picture: iter(figures), Sheet: iter(tables)}
    page = {"title": title, "result": result, "folder": folder.name, "mark": SYNTHETIC_NOTE if synthetic else ""}
    page["cautions"] = list(cautions)
    with replaced_files(folder, [file for place in [*figures, *tables] for file in place.files]):
        page["sections"] = [
            (section.title, [_block(part, places, folder, synthetic) for part in section.parts]) for section in sections
        ]
        page["has_viewer"] = any(isinstance(part, Viewer) for part in parts)
        write_text(_template().render(page), path)
    return path


def _check_place(path: Path) -> None:
    """A page may go where nothing is, or where a former page is.

    Raises:
        InputError: the name is not that of an HTML file, or something else is there.
    """
    if path.suffix.lower() not in (".html", ".htm"):
        raise InputError("a name that ends in .html", path.name, "Give the page another name.", file=path)
    if path.is_dir():
        raise InputError("a file to write the page to", "a folder", "Add a file name, report.html.", file=path)
    if path.exists() and GENERATOR not in path.read_bytes()[:2000]:
        advice = "Give the page another name, or take the file away."
        raise InputError("nothing, or a former report", "another file", advice, file=path)


def _places(parts: list, kind: type, folder: str, endings: tuple[str, str]) -> list[Place]:
    """Numbers and files of the pictures or the sheets, in their order."""
    names = file_names([part.name for part in parts if isinstance(part, kind)])
    return [Place(number, f"{folder}/{name}", endings) for number, name in enumerate(names, start=1)]


def _template():
    """The page's template; every text that is put in is escaped."""
    settings = {"autoescape": True, "undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}
    templates = Environment(loader=PackageLoader("glioma_idh.reporting.html", "templates"), **settings)
    templates.policies["json.dumps_kwargs"] = {"sort_keys": False}
    templates.filters |= {"unbroken": _unbroken, "breakable": _breakable, "code": _code}
    return templates.get_template("page.html")


def _unbroken(text: str) -> str:
    """No number parted from its sign or unit by the end of a line."""
    return UNIT.sub("\N{NO-BREAK SPACE}", text)


def _breakable(text: str) -> Markup:
    """An id that may be broken where it has underscores."""
    return Markup("_<wbr>").join(map(escape, text.split("_")))


def _code(text: str) -> Markup:
    """Code whose options are not broken at their hyphens."""
    return Markup(re.sub(r"(?<!\S)-[\w-]+", r"<span>\g<0></span>", str(escape(text))))


def _block(part, places: dict, folder: Path, synthetic: bool) -> dict:
    """What the template shows of a part; the files of a picture or a sheet are written."""
    match part:
        case Paragraph(text):
            return {"kind": "paragraph", "texts": re.split(r"\n\s*\n", text.strip())}
        case Listing(text):
            return {"kind": "listing", "text": text.strip("\n")}
        case Viewer(cases):
            return {"kind": "viewer", "content": pack_cases(cases)}
        case Picture():
            return _picture(part, next(places[Picture]), folder)
        case Sheet():
            return _sheet(part, next(places[Sheet]), folder, synthetic)
    raise TypeError(f"expected a part of a page; found {type(part).__name__}")


def _picture(part: Picture, place: Place, folder: Path) -> dict:
    """A figure as the page holds it, the SVG if it is small; its size in CSS pixels is its own, 96 an inch."""
    figures = (folder / place.path).parent
    png, svg = save_figure(part.figure, figures, Path(place.path).name)
    shown, kind = (svg, "svg+xml") if svg.stat().st_size <= LARGEST_SVG else (png, "png")
    width, height = (round(inches * 96) for inches in part.figure.get_size_inches())
    source = f"data:image/{kind};base64,{base64.b64encode(shown.read_bytes()).decode()}"
    size = {"source": source, "width": width, "height": height}
    return {"kind": "picture", "caption": part.caption, "alt": part.alt, **size, **_links(place, folder)}


def _sheet(part: Sheet, place: Place, folder: Path, synthetic: bool) -> dict:
    """A table as the page holds it: headings, and whether numbers stand below them; rows."""
    table = part.table.astype(object).fillna("").astype(str)
    write_sheet(table, (folder / place.path).parent, Path(place.path).name, part.caption, synthetic)
    columns = [(str(name), n > 0 and _are_numbers(table.iloc[:, n])) for n, name in enumerate(table.columns)]
    rows = table.to_numpy().tolist()
    return {"kind": "sheet", "caption": part.caption, "columns": columns, "rows": rows, **_links(place, folder)}


def _are_numbers(cells: pd.Series) -> bool:
    """Whether most cells that hold something begin with a number."""
    filled = cells[~cells.str.strip().isin(["", "-", "–"])]
    return len(filled) > 0 and filled.str.match(NUMBER).mean() > 0.5


def _links(place: Place, folder: Path) -> dict:
    """The number of a figure or table, and addresses of its files as the page sees them, by their ending."""
    links = {Path(file).suffix[1:].upper(): quote(f"{folder.name}/{file}") for file in place.files}
    return {"number": place.number, "links": links}
