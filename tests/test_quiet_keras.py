"""Keras loads without TensorFlow's notes, whichever piece of the package is imported first."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import glioma_idh

PACKAGE = Path(glioma_idh.__file__).parent


def test_keras_is_imported_in_one_file():
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found |= {path.name for name in names if name.split(".")[0] == "keras"}
    assert found == {"quiet_keras.py"}


def test_tensorflow_is_imported_inside_functions_alone():
    for path in PACKAGE.rglob("*.py"):
        at_top = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith(("import", "from"))]
        assert not [line for line in at_top if line.split()[1].split(".")[0] == "tensorflow"], path


@pytest.mark.integration
@pytest.mark.parametrize(
    "code",
    [
        "from glioma_idh.gbm2d import build_cnn; build_cnn()",
        "from glioma_idh.training import device; device.find_gpus()",
    ],
)
def test_a_network_is_built_in_silence(code):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TF_CPP")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert (done.stdout, done.stderr) == ("", "")
