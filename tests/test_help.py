"""What all commands' help texts have in common."""

import ast
from pathlib import Path

import pytest

import glioma_idh

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
