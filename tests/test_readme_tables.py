"""The list of results tables is complete, and its commands exist and accept their settings."""

import importlib
import importlib.util
import shlex
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOORS = {  # what each command hands its settings to
    "glioma_idh.gbm2d.train": "glioma_idh.training.pipeline.train",
    "glioma_idh.sgp3d.train": "glioma_idh.training.pipeline.train",
    "glioma_idh.sgp3d.experiments": "glioma_idh.sgp3d.experiments.run_table",
    "glioma_idh.sgp3d.occlude": "glioma_idh.sgp3d.attribution.occlude_run",
}


def load():
    """The list, which is no part of the package."""
    spec = importlib.util.spec_from_file_location("readme_tables", ROOT / "benchmarks/readme_tables.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


LIST = load()
COMMANDS = [command for result in LIST.RESULTS.values() for command in result.commands]


FILES = ["README.md", *(str(path.relative_to(ROOT)) for path in sorted(ROOT.glob("docs/*.md"))), "benchmarks/README.md"]
AT_LEAST = {"README.md": 1, "docs/results.md": 7, "benchmarks/README.md": 7}  # results tables


@pytest.mark.parametrize("file", FILES)
def test_every_results_table_is_listed_once(file):
    found = LIST.results_tables((ROOT / file).read_text())
    assert len(found) >= AT_LEAST.get(file, 0)
    for first_line in found:
        names = [name for name, of in LIST.RESULTS.items() if of.file == file and first_line.startswith(of.start)]
        assert len(names) == 1, f"{file}: name what makes this table in benchmarks/readme_tables.py: {first_line}"


@pytest.mark.parametrize("name", LIST.RESULTS)
def test_every_entry_is_a_result_of_its_file_which_names_its_command(name):
    result = LIST.RESULTS[name]
    text = (ROOT / result.file).read_text()
    assert sum(line.startswith(result.start) for line in text.splitlines()) == 1
    assert result.commands
    words = [word for command in result.commands for word in shlex.split(command)]
    programs = {word for word in words if word.startswith(("glioma_idh.", "benchmarks/"))}
    assert programs and any(program in text for program in programs)


def test_a_table_of_settings_is_none_of_results():
    head, line = "| a | b |", "| --- | --- |"
    assert LIST.results_tables(f"{head}\n{line}\n| x | 0.83 ± 0.07 |\n| y | **0.9** |\n") == [head]
    assert LIST.results_tables(f"{head}\n{line}\n| x | +0.036 |\n\n| c | d |\n{line}\n| up to 1.5 mm | z |\n") == [head]
    assert LIST.results_tables(f"{head}\n{line}\n| x | 16 |\n| y | 0.3 |\n| z | of 2.5 mm |\n") == []


@pytest.mark.parametrize("command", sorted(set(COMMANDS)))
def test_every_command_is_there_and_takes_its_settings(command, monkeypatch):
    words = [word for word in shlex.split(command.format(data="d", runs="r", out="o")) if "=" not in word]
    assert words[0] == "python"
    if words[1] != "-m":
        assert (ROOT / words[1]).is_file()
        return
    assert importlib.util.find_spec(words[2]) is not None
    if words[2] in DOORS:
        door, given = importlib.import_module(words[2]), []
        monkeypatch.setattr(sys, "argv", words[2:])
        monkeypatch.setattr(DOORS[words[2]], lambda *settings: given.append(settings))
        door.main()
        assert given


def run_list(monkeypatch, *arguments):
    """The status that the command ends with."""
    monkeypatch.setattr(sys, "argv", ["readme_tables.py", *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        LIST.main()
    return end.value.code


def test_the_list_is_printed(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["readme_tables.py", "--list"])
    LIST.main()
    printed = capsys.readouterr().out
    assert all(name in printed for name in LIST.RESULTS) and all(f"  {command}\n" in printed for command in COMMANDS)
    assert run_list(monkeypatch, "no-such-table") == 2 and "found no-such-table" in capsys.readouterr().err


def test_outputs_are_kept_and_a_failure_is_said(monkeypatch, tmp_path, capsys):
    results = {
        "good": LIST.Result("", "", ["echo {data} && echo here", "echo {runs}"]),
        "bad": LIST.Result("", "", ["echo first && false", "echo never"]),
    }
    monkeypatch.setattr(LIST, "RESULTS", results)
    monkeypatch.setenv("GLIOMA_IDH_DATA", str(tmp_path / "my data"))
    out = tmp_path / "out"
    assert run_list(monkeypatch, "--out", out) == "Failed: bad"
    assert (out / "good.txt").read_text().splitlines() == [
        "$ echo {data} && echo here",
        str(tmp_path / "my data"),
        "here",
        "$ echo {runs}",
        str(out / "runs"),
    ]
    assert (out / "bad.txt").read_text().splitlines() == ["$ echo first && false", "first", "ended with 1"]
    assert run_list(monkeypatch, "good", "--out", out) == 0
    monkeypatch.delenv("GLIOMA_IDH_DATA")
    assert run_list(monkeypatch, "good", "--out", out) == 2
    assert "expected the folder of real scans in GLIOMA_IDH_DATA" in capsys.readouterr().err
