"""The notebooks: they import and never define, hold no outputs, and run from a clean kernel and show what they say.

Here they train for few epochs, since what is looked at does not depend on how well a network has learnt;
`benchmarks/notebooks.py` runs them as they are and says what they take.
"""

import ast
import json
import os
import re
from pathlib import Path
from types import ModuleType

import nbformat
import pytest
from nbmake.nb_run import NotebookRun

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
NAMES = ["1_cohort", "2_gbm2d", "3_sgp3d", "4_your_own_patients"]
SETTINGS = ("GLIOMA_IDH_COHORT", "GLIOMA_IDH_IMAGES", "GLIOMA_IDH_LABELS", "GLIOMA_IDH_RUN")
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
CELL_S = 900  # after which a cell hangs
SHORTER = {  # settings of a notebook, and those that take their place in its copy
    "2_gbm2d": ("EPOCHS = 25  #", "EPOCHS = 6  #"),
    "3_sgp3d": ("EPOCHS = 15  #", "EPOCHS = 2  #"),
    "4_your_own_patients": ('"epochs": 25,', '"epochs": 2,'),
}
PICTURES = {"1_cohort": 1, "2_gbm2d": 9, "3_sgp3d": 7, "4_your_own_patients": 2}
SAYS = {
    "1_cohort": [
        r"56 +65 +46 +167 +167",  # the SGPNet paper's cohort in the shipped labels
        "121 patients. AUC with no image: grade alone 0.872, age alone 0.801",
        "TCGA-00-0003 +0 ",  # one caller alone
        "found 121 in both",
        "phantom: 100 subjects of 100 patients, 100 with images",
        "Patients on both sides of a split: 0",
    ],
    "2_gbm2d": [
        "IDH-mutant +17",
        "the same image: True",
        "128,674",  # parameters, as tests/gbm2d/test_model.py works them out
        "Synthetic phantom cohort: no clinical result",
        r"paper +0.83 ± 0.07 +0.64 ± 0.23 +0.76 ± 0.08 +0.86 ± 0.08 +0.86 ± 0.05",
        r"best possible +0.50 ± 0.00",  # of ADC
    ],
    "3_sgp3d": [
        "2,446,119 parameters",
        "0.69 +0.30 +0.303 +0.781",  # k = 0.3 / 0.99, L = 0.69 + 0.3 k
        "Synthetic phantom cohort: no clinical result",
        "table2: 3 runs, 1 of them finished",
        "Without the lesion, the AUC is",
    ],
    "4_your_own_patients": [
        "no lesion mask: 1 patient-016",
        "excluded: patient-016",
        "their scores mean nothing for a patient",
        "15 of 15 patients have a known IDH status and are new to the networks",
    ],
}


@pytest.fixture(params=NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
def path(request) -> Path:
    """Each notebook."""
    return request.param


def test_the_four_notebooks_are_there():
    assert [path.stem for path in NOTEBOOKS] == NAMES


def test_a_notebook_imports_and_never_defines(path):
    for cell in code_cells(nbformat.read(path, 4)):
        defined = [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, DEFINITIONS)]
        assert not defined, cell.source


def test_what_a_notebook_takes_from_the_package_is_there(path):
    """So that a name that moved is seen without running the notebook."""
    code = "\n".join(cell.source for cell in code_cells(nbformat.read(path, 4)))
    imports = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.ImportFrom)]
    taken = {}
    for node in imports:
        if node.module.startswith("glioma_idh"):
            for alias in node.names:
                exec(f"from {node.module} import {alias.name} as {alias.asname or alias.name}", taken)
    attributes = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Attribute)]
    for node in attributes:
        if isinstance(node.value, ast.Name) and isinstance(taken.get(node.value.id), ModuleType):
            assert hasattr(taken[node.value.id], node.attr), ast.unparse(node)


def test_a_notebook_is_kept_without_outputs_and_paths_of_a_machine(path):
    notebook = nbformat.read(path, 4)
    nbformat.validate(notebook)
    for cell in code_cells(notebook):
        assert cell.outputs == [] and cell.execution_count is None and cell.metadata == {}
    assert notebook.metadata["kernelspec"]["name"] == "python3"
    assert not re.search(r"/(home|Users|root|mnt|tmp|work)/|[A-Z]:\\\\", path.read_text())


def test_the_first_cell_asks_for_images_and_takes_phantoms_without(path):
    first = code_cells(nbformat.read(path, 4))[0].source
    assert 'IMAGES = os.environ.get("GLIOMA_IDH_IMAGES", "")' in first
    assert path.stem == NAMES[3] or 'COHORT = os.environ.get("GLIOMA_IDH_COHORT", "phantom")' in first


def test_every_link_leads_to_a_notebook(path):
    links = re.findall(r"\]\(([^)]+\.ipynb)\)", path.read_text())
    assert links or path == NOTEBOOKS[-1]
    assert all((path.parent / link).is_file() for link in links)


@pytest.mark.slow
def test_a_notebook_runs_from_a_clean_kernel_and_shows_what_it_says(path, run):
    notebook, folder = run(path)
    printed = texts(notebook)
    for pattern in SAYS[path.stem]:
        assert re.search(pattern, printed), pattern
    pictures = [output for output in outputs(notebook) if "image/png" in output.get("data", {})]
    assert len(pictures) == PICTURES[path.stem]
    if path.stem == NAMES[3]:
        for page in ("report.html", "networks.html"):
            assert "Synthetic phantom cohort" in (folder / "runs" / path.stem / page).read_text()


@pytest.mark.slow
def test_the_cohort_of_real_images_is_read_where_they_are_named(real_data, run):
    named = {"GLIOMA_IDH_COHORT": "brats2020-tcga", "GLIOMA_IDH_IMAGES": str(real_data / "brats20_mini")}
    notebook, _ = run(NOTEBOOKS[0], **named)
    printed = texts(notebook)
    assert "brats2020-tcga: 167 subjects of 167 patients, 121 with images" in printed
    assert re.search(r"FLAIR +121 +56 +65 +0 +0", printed)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A function that runs a copy of a notebook in the test's own folder; returns it with its outputs, and the folder.

    The kernel takes the package from the tree that the notebooks lie in.
    """

    def run(path: Path, **named):
        for name in SETTINGS:
            monkeypatch.delenv(name, raising=False)
        for name, value in named.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("PYTHONPATH", str(path.parents[1]), prepend=os.pathsep)
        text, (setting, shorter) = path.read_text(), SHORTER.get(path.stem, ("", ""))
        assert not setting or text.count(json.dumps(setting)[1:-1]) == 1
        copy = tmp_path / path.name
        copy.write_text(text.replace(json.dumps(setting)[1:-1], json.dumps(shorter)[1:-1]) if setting else text)
        result = NotebookRun(copy, default_timeout=CELL_S).execute()
        assert result.error is None, result.error.trace
        return result.nb, tmp_path

    return run


def code_cells(notebook) -> list:
    """Its cells of code."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def outputs(notebook) -> list:
    """Of all cells, in order."""
    return [output for cell in code_cells(notebook) for output in cell.outputs]


def texts(notebook) -> str:
    """All that it printed and showed in letters, without their colours."""
    shown = [output.get("text") or output.get("data", {}).get("text/plain", "") for output in outputs(notebook)]
    return re.sub(r"\x1b\[[\d;]*m", "", "\n".join(shown))
