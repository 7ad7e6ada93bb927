"""The record of a patient's preparation, `prepare.json`, and the stages that it lets a later run reuse."""

import hashlib
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, is_dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, get_args

from glioma_idh.errors import InputError
from glioma_idh.files import write_json

METHOD = 2  # increase it whenever the same inputs give different outputs: older results are then computed again
Stage = Literal["series", "head-motion", "registration", "brain", "image", "adc", "lesion", "rcbv", "picture"]
STAGES = get_args(Stage)  # in the order in which they run
FORMER_STAGES = {"head-motion": "movement"}  # names of stages in version 0.1
FORMER_KEYS = {"transforms": "ways"}  # names of fields of `prepare.json` in version 0.1


@dataclass(frozen=True)
class Made:
    """A completed stage."""

    key: str  # fingerprint of its inputs
    seconds: float  # computing time
    found: dict  # its findings, as JSON can hold them
    outputs: dict[str, str]  # fingerprints of the files that it wrote, by their paths in the patient's folder


@dataclass
class Record:
    """The content of `prepare.json`, in the order of the file; None where this run has not determined it."""

    stages: dict[str, Made] = field(default_factory=dict)  # completed in this run, by name
    remarks: list[str] = field(default_factory=list)  # findings to check, in sentences
    made_with: dict[str, str] | None = None  # versions of the packages, by name
    settings: dict | None = None  # without the names of folders
    series: dict[str, dict[str, str]] | None = None  # by role: the series, and the reason for the choice
    not_used: list[dict[str, str]] | None = None  # series and files that were left out, and why
    transforms: dict[str, list] | None = None  # by role: 4 x 4, from the mm of the result's grid to those of a series
    grid: dict[str, list] | None = None  # shape and affine of the result
    files: dict[str, str] | None = None  # names of the results, by column of the cohort table
    problems: list[dict[str, str]] | None = None  # errors, without the names of folders


def read_record(folder: str | Path) -> dict:
    """Read the `prepare.json` of a patient's folder; an empty dictionary if it is missing or unreadable.

    Names of fields and stages from version 0.1 are replaced by the present ones.
    """
    try:
        record = json.loads(Path(folder, "prepare.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(record, dict):
        return {}
    keys, stages = ({old: new for new, old in names.items()} for names in (FORMER_KEYS, FORMER_STAGES))
    record = {keys.get(key, key): value for key, value in record.items()}
    if "stages" in record:
        record["stages"] = {_renamed(stage, stages): made for stage, made in record["stages"].items()}
    return record


class Stages:
    """The stages of one patient; those completed before with the same inputs are not computed again.

    The name of a stage is a word of STAGES, followed by the sequence if the stage runs per sequence (`image t2`).

    Args:
        folder: the patient's folder of results, which holds `prepare.json`.
        redo_from: first stage to compute again in any case; "" for none.
        tell: called with one line of text whenever a stage is completed.
    """

    def __init__(self, folder: Path, redo_from: str = "", tell: Callable[[str], None] = lambda line: None):
        self.folder, self.tell = Path(folder), tell
        self.redone = STAGES[STAGES.index(redo_from) :] if redo_from else ()
        self.record, self._written = Record(), read_record(folder)
        self.former = {name: Made(**made) for name, made in self._written.get("stages", {}).items()}

    def make(
        self, stage: str, work: Callable[[], dict | None], inputs: dict, outputs: Iterable[Path] | str = ()
    ) -> dict:
        """Run a stage, such as `registration t2`, or reuse its earlier results if its inputs are the same.

        Args:
            stage: its name.
            work: writes the outputs and returns the findings, as JSON can hold them.
            inputs: everything that the results depend on: files (paths), settings, numbers.
            outputs: the files that it writes, or a glob pattern in the folder if their number is not known beforehand.

        Returns:
            The findings. If `work` raises an InputError, the outputs are removed.
        """
        key, former = fingerprint([METHOD, _renamed(stage, FORMER_STAGES), inputs]), self.former.get(stage)
        start = time.perf_counter()
        if former and stage.split()[0] not in self.redone and former.key == key:
            there = {name: path.is_file() and fingerprint(path) for name, path in self._named(outputs).items()}
            if there == former.outputs:
                self.record.stages[stage] = former
                self.tell(f"{stage}: reused")
                return former.found
        try:
            found = json.loads(json.dumps(work() or {}))
        except InputError:
            for path in self._named(outputs).values():  # which may be incomplete, or of other inputs
                path.unlink(missing_ok=True)
            raise
        made = {name: fingerprint(path) for name, path in self._named(outputs).items()}
        seconds = round(time.perf_counter() - start, 1)
        for name in former.outputs.keys() - made.keys() if former else ():
            (self.folder / name).unlink(missing_ok=True)
        self.record.stages[stage] = Made(key, seconds, found, made)
        self.save()
        self.tell(f"{stage}: {seconds} s")
        return found

    def _named(self, outputs: Iterable[Path] | str) -> dict[str, Path]:
        """Return the output files by their paths in the folder."""
        files = sorted(self.folder.glob(outputs)) if isinstance(outputs, str) else outputs
        return {path.relative_to(self.folder).as_posix(): path for path in files}

    def found(self, stage: str) -> dict[str, dict]:
        """Return the findings of a stage, by sequence."""
        made = self.record.stages.items()
        return {name.split()[1]: one.found for name, one in made if name.startswith(f"{stage} ")}

    def problems(self, stage: str) -> dict[str, str]:
        """Return the problems that a stage found, by sequence, as one text each."""
        return {which: "; ".join(found["problems"]) for which, found in self.found(stage).items() if found["problems"]}

    def finish(self) -> None:
        """Write `prepare.json`, and delete the files of earlier stages that were not part of this run."""
        kept = {name for made in self.record.stages.values() for name in made.outputs}
        for made in self.former.values():
            for name in made.outputs.keys() - kept:
                (self.folder / name).unlink(missing_ok=True)
        self.former = {}
        self.save()

    def save(self) -> None:
        """Write `prepare.json`, including earlier stages that this run may still reach."""
        known = {name: value for name, value in vars(self.record).items() if value is not None}
        known["stages"] = {name: vars(made) for name, made in (self.former | self.record.stages).items()}
        write_json(self._written | known, self.folder / "prepare.json")


def _renamed(stage: str, names: dict[str, str]) -> str:
    """Replace the first word of a stage's name if it has another name in `names`."""
    word, *sequence = stage.split(maxsplit=1)
    return " ".join([names.get(word, word), *sequence])


def fingerprint(value: object) -> str:
    """Return a hash of a value, 16 hexadecimal digits; for a path, of the content of the file."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=_plain).encode()).hexdigest()[:16]


def _plain(value: Any) -> Any:
    """Convert what JSON cannot hold: a path to the hash of the file's content, dataclasses and arrays to lists."""
    if isinstance(value, Path):
        state = value.stat()
        return _hash_file(value, state.st_size, state.st_mtime_ns)
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value.tolist()


@lru_cache(maxsize=1000)
def _hash_file(path: Path, size: int, time_ns: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
