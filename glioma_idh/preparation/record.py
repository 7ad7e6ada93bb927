"""What is kept of a patient in its `prepare.json`."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from glioma_idh.files import write_json


@dataclass(frozen=True)
class Made:
    """A stage that was gone through.

    Attributes:
        key: stands for the inputs that it depends on.
        seconds: that it took.
        found: what it found, ready for JSON.
        outputs: fingerprints of the files that it wrote, by their paths in the patient's folder.
    """

    key: str
    seconds: float
    found: dict
    outputs: dict[str, str]


@dataclass
class Record:
    """What is known of a patient, in the order of the file; None is not known in this run.

    Attributes:
        stages: that this run went through, by name.
        remarks: what looks odd, in sentences.
        made_with: versions of the packages, by name.
        settings: what was asked for, without folders.
        series: which series has a role, and why.
        not_used: what was left out, and why.
        ways: 4 x 4 by role, from the millimetres of the result's grid to those of the series.
        grid: shape and affine of the result.
        files: names of the results, by column of the cohort table.
        problems: what went wrong, without folders.
    """

    stages: dict[str, Made] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    made_with: dict[str, str] | None = None
    settings: dict | None = None
    series: dict[str, dict[str, str]] | None = None
    not_used: list[dict[str, str]] | None = None
    ways: dict[str, list] | None = None
    grid: dict[str, list] | None = None
    files: dict[str, str] | None = None
    problems: list[dict[str, str]] | None = None

    def write(self, folder: Path, former: dict, stages: dict[str, Made]) -> None:
        """Write `prepare.json` with these stages; what is not known in this run stays as `read_record` gave it."""
        known = {name: value for name, value in vars(self).items() if value is not None}
        known["stages"] = {name: vars(made) for name, made in stages.items()}
        write_json(former | known, folder / "prepare.json")


def read_record(folder) -> dict:
    """The `prepare.json` of a patient; empty where there is none, or none that can be read."""
    try:
        record = json.loads(Path(folder, "prepare.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}
