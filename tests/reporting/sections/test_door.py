"""The command: what it takes, what it hands on, and how it refuses."""

from pathlib import Path

import pytest

from glioma_idh import report
from glioma_idh.errors import InputError
from glioma_idh.files import write_json
from glioma_idh.runs import list_runs


@pytest.fixture
def command(monkeypatch, capsys):
    """A function that gives the command some words; returns what it handed on, and what it said."""
    given = []
    monkeypatch.setattr(report, "report_runs", lambda *arguments: given.append(("runs", *arguments)) or Path("r.html"))
    monkeypatch.setattr(
        report, "report_predictions", lambda *arguments: given.append(("table", *arguments)) or Path("t.html")
    )

    def give(*words):
        monkeypatch.setattr("sys.argv", ["report", *map(str, words)])
        report.main()
        return given, capsys.readouterr().out

    return give


def test_runs_are_reported_on_together(command):
    given, said = command("a", "b", "--out", "page.html")
    assert given == [("runs", (Path("a"), Path("b")), Path("page.html"), None)] and said == "The report is r.html\n"


def test_a_reference_is_handed_on_with_the_runs(command):
    given, _ = command("a", "b", "--reference", "b")
    assert given == [("runs", (Path("a"), Path("b")), None, Path("b"))]


def test_a_reference_beside_a_table_is_an_error(command):
    message = "^Error: expected several runs for --reference; found a predictions table. Leave --reference out.$"
    with pytest.raises(SystemExit, match=message):
        command("--predictions", "theirs.csv", "--reference", "b")


def test_a_table_is_reported_on_alone(command):
    given, said = command("--predictions", "theirs.csv")
    assert given == [("table", Path("theirs.csv"), None)] and said == "The report is t.html\n"


@pytest.mark.parametrize("words, found", [((), "neither"), (("a", "--predictions", "b.csv"), "both")])
def test_runs_or_a_table_and_not_both(command, words, found):
    with pytest.raises(SystemExit, match=rf"^Error: .*expected folders of runs, or --predictions .*found {found}"):
        command(*words)


def test_what_cannot_be_used_ends_the_command_with_its_reason(command, monkeypatch):
    def refuse(*_):
        raise InputError("a finished run", "no metrics.json", "Let it end.")

    monkeypatch.setattr(report, "report_runs", refuse)
    with pytest.raises(SystemExit, match="Error: expected a finished run; found no metrics.json"):
        command("a")


def test_runs_of_a_folder_stand_in_the_order_of_sequences_each_once(tmp_path):
    for name in ("t2", "zebra", "adc", "t1", "flair"):
        (tmp_path / name).mkdir()
        write_json({}, tmp_path / name / "recipe.json")
    (tmp_path / "empty").mkdir()
    found = list_runs([tmp_path, tmp_path / "t1" / ".." / "t1"])
    assert [folder.resolve().name for folder in found] == ["t1", "t2", "flair", "adc", "zebra"]
    assert list_runs([tmp_path / "t1"]) == [tmp_path / "t1"]
    (tmp_path / "t1/figures").mkdir()
    with pytest.raises(InputError, match="found a folder inside the run t1. Choose .*t1"):
        list_runs([tmp_path, tmp_path / "t1/figures"])


@pytest.mark.parametrize("names, written", [(["t1"], "report"), (["t1", "t2"], "comparison")])
def test_one_run_has_a_report_and_several_a_comparison(tmp_path, monkeypatch, names, written):
    for name in names:
        (tmp_path / name).mkdir()
        write_json({}, tmp_path / name / "recipe.json")
    for kind in ("report", "comparison"):
        monkeypatch.setattr(
            f"glioma_idh.reporting.report.write_{kind}", lambda *arguments, kind=kind: (kind, *arguments)
        )
    out = tmp_path / "page.html"
    folders = [tmp_path / name for name in names]
    expected = (written, folders[0], out) if len(folders) == 1 else (written, folders, out, None)
    assert report.report_runs(folders, out) == expected
    if len(folders) == 1:
        with pytest.raises(InputError, match="expected several runs for --reference; found one run. Name the"):
            report.report_runs(folders, out, folders[0])
    else:
        assert report.report_runs(folders, out, folders[1]) == (written, folders, out, folders[1])


def test_an_output_that_cannot_be_written_is_told_before_anything_is_drawn(command, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SystemExit, match="file: expected a folder for the results; found a file"):
        command("a", "--out", tmp_path / "file" / "page.html")
    with pytest.raises(SystemExit, match="expected a file for the results; found a folder. Name a file in it."):
        command("a", "--out", tmp_path)
