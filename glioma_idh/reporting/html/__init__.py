"""Write a report as one self-contained HTML file with text, figures, tables and scans.

Its figures and tables are also written to a folder next to it, for use in a manuscript.
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

GENERATOR = b'content="glioma_idh"'  # marks an earlier report
LARGEST_SVG = 300_000  # bytes; a larger one is shown as PNG
NUMBER = re.compile(r"[-+−–<>≤≥=~±]?\s?\.?\d")
OPTION = re.compile(r"(?<!\S)(-[\w-]+)")
UNIT = re.compile(r" (?=±)|(?<=[±<>]) (?=\d)|(?<=\bp) (?=[<\d])|(?<=\d) (?=%|ml\b|mm\b|to [-+−]?\d)|(?<=\d to) ")

LIST = "files.txt"
HEAD = "Figures and tables of the report next to this folder. The next report replaces the files listed here:"
LISTED = re.compile(r"figures/[^/\\]+\.(png|svg)|tables/[^/\\]+\.(csv|tex)")
LONGEST = 60  # letters of a file name, because file systems allow 255 bytes


class Paragraph(NamedTuple):
    text: str  # plain text; a blank line starts a new paragraph


class Picture(NamedTuple):
    name: str  # of its files, without extension
    figure: Figure
    caption: str
    alt: str  # alternative text


class Sheet(NamedTuple):
    name: str
    table: pd.DataFrame  # text cells; all columns are shown
    caption: str


class Listing(NamedTuple):
    text: str  # code, shown with a copy button


class Viewer(NamedTuple):
    cases: dict[str, Case]  # at least one, by their name in the list of the viewer


class Section(NamedTuple):
    title: str
    parts: list  # content, in order


FILES = {Picture: ("figures", ("png", "svg")), Sheet: ("tables", ("csv", "tex"))}  # in the folder next to the page


def write_page(
    path: Path, title: str, result: str, sections: list[Section], *, cautions: Sequence[str] = (), synthetic=False
) -> Path:
    """Write a page and, in `<stem>_files` next to it, its figures (PNG, SVG) and tables (CSV, LaTeX); return its path.

    Each file is written atomically, the page last. Files of an earlier page with this name that are no longer needed
    are deleted. The arguments are those of `pages.Content`; cautions are shown in a box below the title.

    Raises:
        InputError: a file cannot be written, or would replace a file that does not belong to a report.
    """
    if path.suffix.lower() not in (".html", ".htm"):
        raise InputError("a file name that ends in .html", path.name, "Give the report another name.", file=path)
    if path.is_dir():
        raise InputError("a file name for the report", "a folder", "Add a file name, such as report.html.", file=path)
    if path.exists() and GENERATOR not in path.read_bytes()[:2000]:
        advice = "Give the report another name, or move the file."
        raise InputError("no file, or an earlier report", "another file", advice, file=path)
    folder = files_folder(path)
    parts = [part for section in sections for part in section.parts]
    files = {}  # of each figure and table, in order
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
    """The template of the page; all inserted text is escaped."""
    settings = {"autoescape": True, "undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}
    templates = Environment(loader=PackageLoader("glioma_idh.reporting.html", "templates"), **settings)
    templates.policies["json.dumps_kwargs"] = {"sort_keys": False}
    templates.filters |= {
        "unbroken": lambda text: UNIT.sub("\N{NO-BREAK SPACE}", text),  # keep numbers with their signs and units
        "texts": lambda text: re.split(r"\n\s*\n", text.strip()),
        "options": lambda code: OPTION.split(code),
    }
    return templates.get_template("page.html")


def _block(part, left: dict, folder: Path, synthetic: bool) -> dict:
    """The values of a part for the template; write the files of a picture or a sheet (the next ones in `left`)."""
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
        case Picture(figure=figure):  # as SVG if that is small; at 96 CSS pixels per inch
            png, svg = save_figure(figure, place.parent, place.name)
            shown, kind = (svg, "svg+xml") if svg.stat().st_size <= LARGEST_SVG else (png, "png")
            block["source"] = f"data:image/{kind};base64,{base64.b64encode(shown.read_bytes()).decode()}"
            block["width"], block["height"] = (round(inches * 96) for inches in figure.get_size_inches())
        case Sheet(table=table, caption=caption):
            table = table.astype(object).fillna("").astype(str)
            mark = f"{SYNTHETIC_NOTE}. " if synthetic else ""
            write_table(table.assign(note=SYNTHETIC_NOTE) if synthetic else table, folder / files[0])
            write_text(latex_table(table, mark + caption, place.name), folder / files[1])
            block["columns"] = []  # name, and whether most non-empty cells begin with a number
            for n, name in enumerate(table.columns):
                filled = table.iloc[:, n][lambda cells: ~cells.str.strip().isin(["", "-", "–"])]
                is_number = n > 0 and len(filled) > 0 and filled.str.match(NUMBER).mean() > 0.5
                block["columns"].append((str(name), is_number))
            block["rows"] = table.to_numpy().tolist()
    return block


def file_names(names: list[str]) -> list[str]:
    """Make distinct, valid file names: letters and digits of any script, `-`, `_` and `.`."""
    taken, files = set(), []
    for name in names:
        stem = re.sub(r"[^\w.-]+", "_", unicodedata.normalize("NFC", name))[:LONGEST].strip("._") or "unnamed"
        ways = itertools.chain([stem], (f"{stem}_{n}" for n in itertools.count(2)))
        files.append(next(way for way in ways if way.casefold() not in taken))
        taken.add(files[-1].casefold())
    return files


@contextlib.contextmanager
def replaced_files(folder: Path, wanted: list[str]):
    """Write a page and the `wanted` files of its folder inside this context; at the end, delete its other old files.

    Files that do not belong to a page are kept. InputError: such a file has the name of a wanted one.
    """
    lines = (folder / LIST).read_text().splitlines() if (folder / LIST).is_file() else []
    former = {line for line in lines if LISTED.fullmatch(line)}
    others = [name for name in wanted if name not in former and (folder / name).exists()]
    if others:
        advice = "Move the file, or choose another --out."
        raise InputError("a free file name", "a file that is not part of a report", advice, file=folder / others[0])
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
