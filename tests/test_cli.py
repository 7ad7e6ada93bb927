"""The command `glioma-idh`: what it lists, what it calls, and what run.json and the help then name."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

import glioma_idh
from glioma_idh.cli import COMMANDS, main
from glioma_idh.files import write_json, write_text
from glioma_idh.record import recorded
from glioma_idh.runs.folder import FORMAT
from tests.test_record import read_record

ROOT = Path(glioma_idh.__file__).parents[1]


@pytest.fixture
def give(monkeypatch):
    """A function that gives the command some words."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["/somewhere/glioma-idh", *map(str, words)])
        main()

    return run


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"]])
def test_every_command_is_listed_on_a_line_of_its_own(give, words, capsys):
    give(*words)
    lines = capsys.readouterr().out.splitlines()
    for name, (_, text) in COMMANDS.items():
        assert [line for line in lines if line.split("  ")[1:2] == [name] and line.endswith(text)] != []
    assert max(map(len, lines)) <= 100


def test_the_list_loads_no_library():
    program = "import sys; sys.argv = ['x']; from glioma_idh.cli import main; main()\n"
    program += "sys.exit(str({'tyro', 'psutil', 'numpy', 'pandas', 'keras'} & set(sys.modules) or ''))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert done.stderr.strip() == "" and "prepare" in done.stdout


def test_the_version_is_that_of_the_package(give, capsys):
    give("--version")
    assert capsys.readouterr().out == f"glioma-idh {glioma_idh.__version__}\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_is_called_with_the_words_that_follow(give, name, monkeypatch):
    found = []
    monkeypatch.setattr(importlib.import_module(COMMANDS[name][0]), "main", lambda: found.append(sys.argv))
    give(*name.split(), "train", "--cohort", "x")
    assert found == [[f"glioma-idh {name}", "train", "--cohort", "x"]]


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["trian"], 2, "glioma-idh has no command 'trian'. Did you mean glioma-idh train?"),
        (["?"], 2, "glioma-idh has no command '?'. glioma-idh --help lists the commands."),
        (["train"], "Add one of the two after glioma-idh train.", "glioma-idh train sgp3d  Train and test"),
        (["train", "--help"], 0, "glioma-idh train gbm2d  Train and test"),
        (["--print-completion"], 2, "Name the shell after --print-completion: bash, zsh, fish."),
        (["--print-completion", "cmd"], 2, "Name the shell after --print-completion: bash, zsh, fish."),
    ],
)
def test_what_is_no_command_is_said(give, words, status, said, capsys):
    with pytest.raises(SystemExit) as ended:
        give(*words)
    assert ended.value.code == status and said in "".join(capsys.readouterr())


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_names_the_command_that_was_typed(give, name, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    module = COMMANDS[name][0]
    with pytest.raises(SystemExit):
        give(*name.split(), "--help")
    help_text = capsys.readouterr().out
    typed = f"python -m {module.removesuffix('.__main__')}"
    assert help_text.startswith(f"usage: glioma-idh {name} ") and "python -m" not in help_text
    monkeypatch.setattr(sys, "argv", [f"/somewhere/{module}.py", "--help"])
    with pytest.raises(SystemExit):
        importlib.import_module(module).main()
    assert capsys.readouterr().out.replace(typed, f"glioma-idh {name}") == help_text


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("glioma-idh train gbm2d", "glioma-idh train gbm2d"), ("/a/gbm2d/train.py", "glioma_idh.gbm2d.train")],
)
def test_the_record_names_the_command_that_was_typed(typed, kept, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", [typed, "--seed", "4"])
    with recorded("glioma_idh.gbm2d.train", folder=tmp_path):
        write_text("a", tmp_path / "a.csv")
    record = read_record(tmp_path)
    assert (record.command, record.arguments) == (kept, ["--seed", "4"])


@pytest.mark.parametrize("paper", ["gbm2d", "sgp3d"])
def test_a_run_is_predicted_with_by_the_command_of_its_paper(give, paper, tmp_path, monkeypatch):
    write_json({"format": FORMAT, "recipe": {"paper": paper}}, tmp_path / "recipe.json")
    called = []
    for name in ("gbm2d", "sgp3d"):
        monkeypatch.setattr(f"glioma_idh.{name}.predict.main", lambda name=name: called.append((name, sys.argv)))
    words = ["--out", str(tmp_path / "out"), str(tmp_path), "--t1", "a.nii"]
    give("predict", *words)
    assert called == [(paper, ["glioma-idh predict", *words])]


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (None, "^Error: .*expected the folder of one run"),
        ({"format": FORMAT, "recipe": {"paper": "else"}}, "^Error: .*expected a run of gbm2d or sgp3d; found a run of"),
    ],
)
def test_a_folder_that_is_no_run_cannot_be_predicted_with(give, content, match, tmp_path):
    if content is not None:
        write_json(content, tmp_path / "recipe.json")
    with pytest.raises(SystemExit, match=match):
        give("predict", tmp_path)


@pytest.mark.integration
@pytest.mark.skipif(sys.platform == "win32", reason="a pipe that nobody reads is told by a signal")
@pytest.mark.parametrize(
    "words",
    [
        ["glioma_idh"],
        ["glioma_idh", "train", "sgp3d", "--help"],
        ["glioma_idh", "occlude", "--help"],
        ["glioma_idh", "train", "--help"],
        ["glioma_idh.gbm2d.train", "--help"],
    ],
)
def test_a_help_that_nobody_reads_to_its_end_leaves_no_traceback(words):
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    environment = os.environ | {"PYTHONUNBUFFERED": ""}
    command = subprocess.Popen([sys.executable, "-m", *words], cwd=ROOT, env=environment, **pipes)
    command.stdout.close()
    _, said = command.communicate()
    assert (command.returncode, said) == (141, b"")
    line = f"{sys.executable} -m {' '.join(words)} | head -n 1"
    done = subprocess.run(["sh", "-c", line], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.startswith(("usage: ", "glioma-idh train ")) and done.stderr == ""
