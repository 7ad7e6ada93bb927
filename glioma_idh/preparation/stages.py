"""What has been made of a patient, and from what, kept in its `prepare.json`: nothing is made twice."""

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, is_dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal, get_args

from glioma_idh.errors import InputError
from glioma_idh.files import write_json

METHOD = 2  # raised whenever the same inputs give other outputs: what older versions made is then made again
Stage = Literal["series", "movement", "registration", "brain", "image", "adc", "lesion", "rcbv", "picture"]
STAGES = get_args(Stage)  # in the order in which they are gone through


@dataclass(frozen=True)
class Made:
    """A stage that was gone through."""

    key: str  # stands for the inputs that it depends on
    seconds: float  # that it took
    found: dict  # what it found, ready for JSON
    outputs: dict[str, str]  # fingerprints of the files that it wrote, by their paths in the patient's folder


@dataclass
class Record:
    """What is known of a patient, in the order of the file; None is not known in this run."""

    stages: dict[str, Made] = field(default_factory=dict)  # that this run went through, by name
    remarks: list[str] = field(default_factory=list)  # what looks odd, in sentences
    made_with: dict[str, str] | None = None  # versions of the packages, by name
    settings: dict | None = None  # what was asked for, without folders
    series: dict[str, dict[str, str]] | None = None  # which series has a role, and why
    not_used: list[dict[str, str]] | None = None  # what was left out, and why
    ways: dict[str, list] | None = None  # 4 x 4 by role, from millimetres of the result's grid to those of the series
    grid: dict[str, list] | None = None  # shape and affine of the result
    files: dict[str, str] | None = None  # names of the results, by column of the cohort table
    problems: list[dict[str, str]] | None = None  # what went wrong, without folders


def read_record(folder) -> dict:
    """The `prepare.json` of a patient; empty where there is none, or none that can be read."""
    try:
        record = json.loads(Path(folder, "prepare.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


class Stages:
    """The stages of one patient that are done; a stage is a word of STAGES, with the sequence where it has several.

    From `redo_from` on, if it is not "", all are gone through again; `tell` is called with a line when a stage is done.
    """

    def __init__(self, folder: Path, redo_from: str = "", tell: Callable[[str], None] = lambda line: None):
        self.folder, self.tell = Path(folder), tell
        self.redone = STAGES[STAGES.index(redo_from) :] if redo_from else ()
        self.record, self._written = Record(), read_record(folder)
        self.former = {name: Made(**made) for name, made in self._written.get("stages", {}).items()}

    def make(self, stage: str, work: Callable[[], dict | None], inputs: dict, outputs=()) -> dict:
        """Go through a stage, such as `registration t2`, or take what it made before of the same inputs.

        `work` writes the outputs and returns what it found, ready for JSON; `inputs` are all that it depends on: files
        (paths), settings, numbers; `outputs` the files, or a pattern below the folder where it is not known how many.
        """
        key, former = fingerprint([METHOD, stage, inputs]), self.former.get(stage)
        start = time.perf_counter()
        if former and stage.split()[0] not in self.redone and former.key == key:
            there = {name: path.is_file() and fingerprint(path) for name, path in self._named(outputs).items()}
            if there == former.outputs:
                self.record.stages[stage] = former
                self.tell(f"{stage}: as before")
                return former.found
        try:
            found = json.loads(json.dumps(work() or {}))
        except InputError:
            for path in self._named(outputs).values():  # nothing that may be half done, or of former inputs
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

    def _named(self, outputs) -> dict[str, Path]:
        """Outputs by their paths in the folder."""
        files = sorted(self.folder.glob(outputs)) if isinstance(outputs, str) else outputs
        return {path.relative_to(self.folder).as_posix(): path for path in files}

    def found(self, stage: str) -> dict[str, dict]:
        """What was found in a stage, by sequence."""
        made = self.record.stages.items()
        return {name.split()[1]: one.found for name, one in made if name.startswith(f"{stage} ")}

    def problems(self, stage: str) -> dict[str, str]:
        """What looked wrong in a stage, by sequence, in words."""
        return {which: "; ".join(found["problems"]) for which, found in self.found(stage).items() if found["problems"]}

    def finish(self) -> None:
        """Write `prepare.json`, and take away the files of stages that were not gone through this time."""
        kept = {name for made in self.record.stages.values() for name in made.outputs}
        for made in self.former.values():
            for name in made.outputs.keys() - kept:
                (self.folder / name).unlink(missing_ok=True)
        self.former = {}
        self.save()

    def save(self) -> None:
        """Write `prepare.json`, with the former stages too that this run may still come to."""
        known = {name: value for name, value in vars(self.record).items() if value is not None}
        known["stages"] = {name: vars(made) for name, made in (self.former | self.record.stages).items()}
        write_json(self._written | known, self.folder / "prepare.json")


def fingerprint(value) -> str:
    """Sixteen hexadecimal digits that stand for a value; for a path, for what the file holds."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=_plain).encode()).hexdigest()[:16]


def _plain(value):
    """What JSON does not know by itself: a file as the hash of its bytes, a dataclass, an array."""
    if isinstance(value, Path):
        state = value.stat()
        return _hash_file(value, state.st_size, state.st_mtime_ns)
    return asdict(value) if is_dataclass(value) else value.tolist()


@lru_cache(maxsize=1000)
def _hash_file(path: Path, size: int, time_ns: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
