"""Read variant calls from MAF files (Mutation Annotation Format) line by line, because the files have gigabytes."""

import contextlib
import gzip
import io
import re
import textwrap
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tqdm import tqdm

from glioma_idh.errors import InputError
from glioma_idh.progress import Lines

CALLERS = ("muse", "mutect2", "somaticsniper", "varscan2")
_SPELLINGS = {"mutect": "mutect2", "varscan": "varscan2", "varscans": "varscan2", "varscani": "varscan2"}
_UNCOUNTED = ("radia", "indelocator", "pindel", "vardict", "strelka", "strelka2", "caveman")
_CALLER_OF = _SPELLINGS | {name: name for name in CALLERS + _UNCOUNTED}
_COLUMNS = (
    *("Hugo_Symbol", "Variant_Classification", "Tumor_Sample_Barcode", "HGVSp_Short"),
    *("Chromosome", "Start_Position", "Reference_Allele", "Tumor_Seq_Allele2"),
)
_GDC_COLUMNS = {"case_id", "src_vcf_id", "GDC_FILTER", "GDC_Validation_Status", "MC3_Overlap"}
_BARCODE = re.compile(rb"(TCGA-[A-Z0-9]{2}-[A-Z0-9]{4})(-.*)?")
_BUFFER = 1 << 20
ENSEMBLE = "GDC's ensemble"


@dataclass(frozen=True)
class Maf:
    """A MAF file and its header. It has one `caller`, a `callers_column`, or neither (MC3 without CENTERS)."""

    file: str
    columns: list[str]
    header_line: int
    caller: str
    callers_column: str

    @property
    def names_callers(self) -> bool:
        """Whether the callers are known."""
        return bool(self.caller or self.callers_column)

    @property
    def source(self) -> str:
        """The caller, GDC's ensemble or MC3."""
        return self.caller or (ENSEMBLE if self.callers_column == "callers" else "MC3")

    @property
    def kind(self) -> str:
        """How the file is read, in words."""
        if self.caller:
            return f"variants of {self.caller}" + ("" if self.caller in CALLERS else ", which is not counted")
        return f"callers in column {self.callers_column}" if self.callers_column else "read as MC3 without CENTERS"

    def bad_cell(self, line: int, column: str, expected: str, value: str, advice: str) -> InputError:
        """Return the error for a cell of the file."""
        return InputError(expected, f"{value!r} in line {line}, column {column}", advice, self.file)


def read_header(file: str | Path) -> Maf:
    """Read the header of a MAF file, the first line that does not start with `#`.

    Args:
        file: path, or text `CALLER=FILE`.

    Raises:
        InputError: the file is not a MAF, or its caller is not known or ambiguous.
    """
    name, _, path = str(file).partition("=")  # a path may contain = itself
    caller = _CALLER_OF.get(name.lower(), "")
    if not isinstance(file, str) or not path or re.search(r"[/\\]", name) or Path(file).exists():
        caller, path = "", str(file)
    elif not caller:
        raise InputError(f"one of {', '.join(CALLERS)} before the =", repr(name), "Write, say, mutect2=FILE.", path)
    with _opened(path) as (stream, _):
        lines = ((n, line) for n, line in enumerate(stream, 1) if line.strip() and not line.startswith(b"#"))
        header_line, header = next(lines, (0, b""))
    columns = header.decode(errors="replace").removeprefix("\ufeff").rstrip("\r\n").split("\t")
    missing = [column for column in _COLUMNS if column not in columns]
    if missing:
        is_text = "".join(columns).isprintable()
        found = (textwrap.shorten(", ".join(columns), 400) or "nothing") if is_text else "a file that is not text"
        raise InputError(f"a MAF with the columns {', '.join(missing)}", found, "Give the MAF as downloaded.", path)
    callers_column = next((name for name in ("callers", "CENTERS") if name in columns), "")
    if caller and callers_column:
        found = f"several callers in column {callers_column}"
        raise InputError(f"a MAF of one caller after {caller}=", found, f"Give the file without {caller}=.", path)
    if not caller and not callers_column:  # the caller may be part of the file name; in GDC files it must be
        named = sorted({_CALLER_OF[part] for part in Path(path).name.lower().split(".") if part in _CALLER_OF})
        if len(named) > 1 or (_GDC_COLUMNS.intersection(columns) and not named):
            found = f"{' and '.join(named) or 'no caller'} in its name"
            raise InputError("the name of one caller in the file name", found, "Write, say, mutect2=FILE.", path)
        caller = "".join(named)
    return Maf(path, columns, header_line, caller, callers_column)


@contextlib.contextmanager
def _opened(path: str) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """Open a file, gzipped or not, and yield its decompressed bytes and the file itself."""
    advice = "Check the path; download a damaged file again."
    try:
        with open(path, "rb") as raw:
            gzipped = raw.peek(2)[:2] == b"\x1f\x8b"
            yield (io.BufferedReader(gzip.GzipFile(fileobj=raw), _BUFFER) if gzipped else raw), raw
    except EOFError as error:
        raise InputError("a complete gzip file", "a truncated file", advice, path) from error
    except (OSError, zlib.error) as error:
        found = getattr(error, "strerror", None) or str(error)
        raise InputError("a MAF, gzipped or not", found, advice, path) from error


def scan_maf(maf: Maf, genes: tuple[str, ...], bar: tqdm | Lines) -> tuple[int, set[str], list[tuple[int, bytes]]]:
    """Return the number of rows of a MAF, its patients, and the rows of the genes as (line number, bytes)."""
    gene, barcode = (maf.columns.index(name) for name in ("Hugo_Symbol", "Tumor_Sample_Barcode"))
    tabs, last = len(maf.columns) - 1, max(gene, barcode) + 1
    callers = tabs + 1 - maf.columns.index(maf.callers_column) if maf.callers_column else 0
    symbols, barcodes, cells, wanted, num_rows = {name.encode() for name in genes}, {}, set(), [], 0
    for line, row in _rows(maf, bar):
        if (found := row.count(b"\t")) != tabs:
            advice = "The file is truncated or damaged: download it again."
            raise InputError(f"{tabs + 1} fields per row", f"{found + 1} in line {line}", advice, maf.file)
        fields = row.split(b"\t", last)
        if fields[barcode] not in barcodes:
            match, value = _BARCODE.fullmatch(fields[barcode]), fields[barcode].decode(errors="replace")
            if not match:
                raise maf.bad_cell(line, "Tumor_Sample_Barcode", "TCGA-XX-XXXX...", value, "Give a MAF of TCGA.")
            barcodes[fields[barcode]] = match[1].decode()
        if callers and (cell := row.rsplit(b"\t", callers)[-callers]) not in cells:
            read_callers(maf, line, cell.decode(errors="replace"))
            cells.add(cell)
        if fields[gene] in symbols:
            wanted.append((line, row))
        num_rows += 1
    return num_rows, set(barcodes.values()), wanted


def _rows(maf: Maf, bar: tqdm | Lines) -> Iterator[tuple[int, bytes]]:
    """Yield line number and bytes of each row below the header; the progress bar counts bytes of the file."""
    with _opened(maf.file) as (stream, raw):
        start, first_line = bar.n, 1
        while chunk := stream.readlines(_BUFFER):
            bar.update(start + raw.tell() - bar.n)
            for line, row in enumerate(chunk, first_line):
                if line > maf.header_line and (stripped := row.rstrip(b"\r\n")):
                    yield line, stripped
            first_line += len(chunk)


def read_callers(maf: Maf, line: int, cell: str) -> set[str]:
    """Return the callers in a cell such as `muse;mutect2*` or `MUTECT|RADIA`, without those with an asterisk."""
    names = [name.strip().lower() for name in re.split(r"[|;,]", cell)]
    if not all(name.removesuffix("*") in _CALLER_OF for name in names):
        advice = f"Known callers are {', '.join(_CALLER_OF)}."
        raise maf.bad_cell(line, maf.callers_column, "known callers", cell, advice)
    return {_CALLER_OF[name] for name in names if name in _CALLER_OF}
