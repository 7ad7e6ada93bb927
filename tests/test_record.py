"""What a command leaves of itself: run.json, beside its outputs, whatever way it ends."""

import hashlib
import json
import sys
import types
import typing
import warnings
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from glioma_idh import record
from glioma_idh.errors import InputError
from glioma_idh.files import write_text
from glioma_idh.record import Record, into, reads, recorded, versions


@dataclass(frozen=True)
class Settings:
    """Of a command."""

    labels: Path | None = None
    seed: int = 4
    split_seed: int | None = None
    seeds: tuple[int, ...] = (0, 1)


def fits(value, kind) -> bool:
    """Whether a value out of JSON is of a type of `Record`."""
    of = typing.get_args(kind)
    if isinstance(kind, types.UnionType):
        return any(fits(value, one) for one in of)
    if typing.get_origin(kind) is list:
        return isinstance(value, list) and all(fits(one, of[0]) for one in value)
    if typing.get_origin(kind) is dict:
        return isinstance(value, dict) and all(fits(key, of[0]) and fits(one, of[1]) for key, one in value.items())
    return isinstance(value, kind) and not (kind is int and isinstance(value, bool))


def read_record(folder: Path) -> Record:
    """The record in a folder, which must be of the schema: every field, of its type, and no other."""
    content = json.loads((folder / "run.json").read_text())
    kinds = typing.get_type_hints(Record)
    assert list(content) == list(kinds)
    assert {name: value for name, value in content.items() if not fits(value, kinds[name])} == {}
    assert datetime.fromisoformat(content["started"]).utcoffset().total_seconds() == 0
    assert content["seconds"] >= 0 and content["peak_memory_gb"] > 0
    hashes = [*content["inputs"].values(), *content["outputs"].values()]
    assert all(len(one) == 64 and int(one, 16) >= 0 for one in hashes)
    return Record(**content)


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture
def argv(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["command", "--seed", "4", "--labels=sheet.csv"])


def test_a_command_s_record_has_what_it_read_wrote_and_warned_of(tmp_path, argv):
    (tmp_path / "sheet.csv").write_text("subject,idh\n")
    (tmp_path / "recipe.json").write_text("{}")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/old.csv").write_text("old")
    with (
        pytest.warns(UserWarning, match="mind the gap"),
        recorded("glioma_idh.x", Settings(tmp_path / "sheet.csv"), folder=tmp_path / "out"),
    ):
        reads(tmp_path / "recipe.json")
        write_text("new", tmp_path / "out/split_1/predictions.csv")
        write_text("image", tmp_path / "out/figure.png")
        warnings.warn("mind the gap", stacklevel=1)
    kept = read_record(tmp_path / "out")
    assert (kept.command, kept.arguments) == ("glioma_idh.x", ["--seed", "4", "--labels=sheet.csv"])
    assert kept.inputs == {
        str(tmp_path / "recipe.json"): sha256("{}"),
        str(tmp_path / "sheet.csv"): sha256("subject,idh\n"),
    }
    assert kept.outputs == {"split_1/predictions.csv": sha256("new")}
    assert kept.seeds == {"seed": 4, "seeds": [0, 1]} and kept.versions == versions()
    assert (kept.exit_status, kept.errors, kept.warnings) == (0, [], ["UserWarning: mind the gap"])


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (InputError("a scan", "none", "Add it.", "f"), 1, ["InputError: f: expected a scan; found none. Add it."]),
        (KeyboardInterrupt(), 130, ["KeyboardInterrupt"]),
        (SystemExit(3), 3, []),
        (SystemExit("Nobody."), 1, ["SystemExit: Nobody."]),
        (SystemExit(), 0, []),
    ],
)  # fmt: skip
def test_a_command_that_ends_early_leaves_its_record_too(tmp_path, argv, error, status, words):
    with pytest.raises(SystemExit), recorded("glioma_idh.x", folder=tmp_path):
        raise error
    kept = read_record(tmp_path)
    assert (kept.exit_status, kept.errors) == (status, words)


def test_no_record_without_a_folder_of_outputs(tmp_path, argv):
    with recorded("glioma_idh.x", folder=tmp_path / "nowhere"):
        pass
    with pytest.raises(SystemExit), recorded("glioma_idh.x"):
        raise InputError("a folder for a run", "another's", "Name another.")
    assert list(tmp_path.iterdir()) == []


def test_the_record_of_what_made_the_outputs_stays_where_nothing_is_made_anew(tmp_path, argv):
    """As where a finished run is asked for again, or a later command on it fails."""
    with recorded("glioma_idh.first", folder=tmp_path):
        write_text("a", tmp_path / "a.csv")
    before = (tmp_path / "run.json").read_bytes()
    with recorded("glioma_idh.second", folder=tmp_path):
        pass
    with pytest.raises(SystemExit), recorded("glioma_idh.third", folder=tmp_path):
        raise InputError("x", "y", "z")
    assert (tmp_path / "run.json").read_bytes() == before
    with recorded("glioma_idh.fourth", folder=tmp_path):
        into(tmp_path)
        write_text("b", tmp_path / "b.csv")
    assert read_record(tmp_path).outputs.keys() == {"b.csv"}


def test_no_name_of_a_patient_gets_into_a_record(tmp_path, monkeypatch):
    (tmp_path / "DOE_JANE").mkdir()
    (tmp_path / "JANE.csv").write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["prepare", "DOE_JANE", "--t1=/x/DOE_JANE/t1.nii", "--out", "out", "--jobs", "2"])
    with (
        pytest.warns(UserWarning),
        pytest.raises(SystemExit),
        recorded("glioma_idh.prepare", folder=tmp_path, of_patients=True),
    ):
        warnings.warn("DOE_JANE", stacklevel=1)
        raise InputError("a scan", "DOE_JANE", "Look at DOE_JANE.", "DOE_JANE/t1.nii", "JANE")
    kept = read_record(tmp_path)
    assert kept.arguments == ["PATH", "--t1=PATH", "--out", "out", "--jobs", "2"]
    assert kept.errors == ["InputError: a scan"] and kept.warnings == ["UserWarning"]
    assert "JANE" not in (tmp_path / "run.json").read_text()


def test_a_full_disk_hides_no_error(tmp_path, argv, monkeypatch):
    def full(*_):
        raise InputError("to write this file", "no space", "Free some.")

    monkeypatch.setattr(record, "write_json", full)
    with pytest.raises(SystemExit, match="expected a scan"), recorded("glioma_idh.x", folder=tmp_path):
        raise InputError("a scan", "none", "Add it.")


@pytest.mark.parametrize("folder", ["file", "file/deeper/still"])
def test_a_folder_that_cannot_be_written_is_told_before_the_work(tmp_path, argv, folder):
    (tmp_path / "file").write_text("")
    text = "file: expected a folder for the results; found a file. Choose another folder."
    with pytest.raises(SystemExit, match=text), recorded("glioma_idh.x", folder=tmp_path / folder):
        pytest.fail("the work began")
    with recorded("glioma_idh.x"):
        into(tmp_path / folder, will_write=False)  # as of a finished run, which is only read
