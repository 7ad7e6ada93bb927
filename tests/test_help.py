"""What all commands' help texts have in common."""

import ast
import importlib
import re
import sys
from pathlib import Path

import pytest

import glioma_idh
from glioma_idh.cli import COMMANDS

PACKAGE = Path(glioma_idh.__file__).parent


@pytest.mark.parametrize(
    "path",
    [path for path in PACKAGE.rglob("*.py") if "import tyro" in path.read_text(encoding="utf-8")],
    ids=lambda path: str(path.relative_to(PACKAGE)),
)
def test_text_of_an_option_is_one_line(path):
    """Of a second one, tyro keeps the break, in the middle of the help's own lines."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    bodies = [node.body[1:] for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    texts = [node for body in bodies for node in body if isinstance(node, ast.Expr)]
    assert [node.lineno for node in texts if node.end_lineno > node.lineno] == []


HEADINGS = {"options", "positional arguments", "subcommands", "Input and output options", "Training options"}
HEADINGS |= {"Preparation options"}
CONTINUES = "An interrupted run continues where it stopped when the same command is given again; a finished run prints"


@pytest.fixture(params=COMMANDS)
def shown(request, monkeypatch, capsys):
    """The name of a command and its help, in one line."""
    monkeypatch.setenv("COLUMNS", "150")
    monkeypatch.setattr(sys, "argv", [f"glioma-idh {request.param}", "--help"])
    with pytest.raises(SystemExit):
        importlib.import_module(COMMANDS[request.param][0]).main()
    return request.param, capsys.readouterr().out


def test_the_headings_of_a_help_are_plain_titles(shown):
    _, text = shown
    headings = re.findall(r"^\W*([\w ]*(?:options|arguments|subcommands))\W*$", text, flags=re.MULTILINE)
    assert "options" in headings and set(headings) <= HEADINGS


def test_a_help_states_what_happens_without_an_option(shown):
    """No default is None, and that of an option without a value is told by its text."""
    _, text = shown
    assert not re.search(r"\(default: *(None|True|False)? *\)", " ".join(text.replace("│", "").split()))


def test_training_says_that_it_can_be_continued(shown):
    name, text = shown
    assert (CONTINUES in " ".join(text.split())) == (name in ("train gbm2d", "train sgp3d", "experiments"))
