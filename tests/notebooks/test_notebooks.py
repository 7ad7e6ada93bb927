"""The notebooks: they use public names only, define nothing, hold no outputs, and run from a clean kernel.

Here they train for few epochs, because what is checked does not depend on how good the networks are;
`benchmarks/notebooks.py` runs them as they are and prints how long they take.
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

import glioma_idh as gi

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
NAMES = ["0_quick_start", "1_cohort", "2_gbm2d", "3_sgp3d", "4_your_own_patients"]
SETTINGS = ("GLIOMA_IDH_COHORT", "GLIOMA_IDH_IMAGES", "GLIOMA_IDH_LABELS", "GLIOMA_IDH_RUN")
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
CELL_S = 900  # after which a cell hangs
MOST_LINES = 10  # of code in the quick start
SHORTER = {  # settings of a notebook, and those that take their place in its copy
    "0_quick_start": ('"epochs": 25,', '"epochs": 2,'),
    "2_gbm2d": ("EPOCHS = 25  #", "EPOCHS = 6  #"),
    "3_sgp3d": ("EPOCHS = 15  #", "EPOCHS = 2  #"),
    "4_your_own_patients": ('"epochs": 25,', '"epochs": 2,'),
}
PICTURES = {"0_quick_start": 0, "1_cohort": 1, "2_gbm2d": 9, "3_sgp3d": 7, "4_your_own_patients": 2}
SAYS = {
    "0_quick_start": [
        r"AUC: \{'value': \d",
        r"AUC, rCBV minus ADC: Comparison\(difference=-?\d",
        r"The report: .*report\.html",
    ],
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


def test_the_notebooks_are_there():
    assert [path.stem for path in NOTEBOOKS] == NAMES


def test_a_notebook_imports_and_never_defines(path):
    for cell in code_cells(nbformat.read(path, 4)):
        defined = [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, DEFINITIONS)]
        assert not defined, cell.source


def test_a_notebook_uses_public_names_only(path):
    code = "\n".join(cell.source for cell in code_cells(nbformat.read(path, 4)))
    assert not_public(code) == []


@pytest.mark.parametrize(
    "code",
    [
        "import glioma_idh.cohorts",
        "from glioma_idh import runs",
        "from glioma_idh.cohorts.cohort import read",
        "from glioma_idh.cohorts import PUBLIC",
        "import glioma_idh as gi; gi.runs",
        "import glioma_idh as gi; gi.cohorts.cohort.read()",
        "import glioma_idh as gi; gi.gbm2d.no_such_name",
        "from glioma_idh import gbm2d; gbm2d.train.train_run()",
    ],
)
def test_a_name_that_is_not_public_is_found(code):
    assert len(not_public(code)) == 1


def test_the_quick_start_has_ten_lines_of_code():
    cells = code_cells(nbformat.read(NOTEBOOKS[0], 4))
    lines = [line for cell in cells for line in cell.source.splitlines() if line.strip()]
    assert len(lines) <= MOST_LINES
    used = "\n".join(lines)
    assert all(f"{name}(" in used for name in ("train_run", "evaluate", "compare", "report"))


def test_a_notebook_is_kept_without_outputs_and_paths_of_a_machine(path):
    notebook = nbformat.read(path, 4)
    nbformat.validate(notebook)
    for cell in code_cells(notebook):
        assert cell.outputs == [] and cell.execution_count is None and cell.metadata == {}
    assert notebook.metadata["kernelspec"]["name"] == "python3"
    assert not re.search(r"/(home|Users|root|mnt|tmp|work)/|[A-Z]:\\\\", path.read_text())


def test_the_first_cell_asks_for_images_and_takes_phantoms_without(path):
    if path == NOTEBOOKS[0]:
        return  # the quick start: the synthetic cohort alone
    first = code_cells(nbformat.read(path, 4))[0].source
    assert 'IMAGES = os.environ.get("GLIOMA_IDH_IMAGES", "")' in first
    assert path.stem == NAMES[-1] or 'COHORT = os.environ.get("GLIOMA_IDH_COHORT", "phantom")' in first


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
    if path.stem == NAMES[-1]:
        for page in ("report.html", "networks.html"):
            assert "Synthetic phantom cohort" in (folder / "runs" / path.stem / page).read_text()


@pytest.mark.slow
def test_the_cohort_of_real_images_is_read_where_they_are_named(real_data, run):
    named = {"GLIOMA_IDH_COHORT": "brats2020-tcga", "GLIOMA_IDH_IMAGES": str(real_data / "brats20_mini")}
    notebook, _ = run(NOTEBOOKS[1], **named)
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


def not_public(code: str) -> list[str]:
    """What a notebook takes from the package that is not public: imports, and attributes of what it imports."""
    modules, wrong = {}, []
    nodes = list(ast.walk(ast.parse(code)))
    for node in nodes:
        for alias in node.names if isinstance(node, ast.Import | ast.ImportFrom) else []:
            name = alias.asname or alias.name
            if isinstance(node, ast.Import) and alias.name.partition(".")[0] == "glioma_idh":
                wrong += [ast.unparse(node)] if alias.name != "glioma_idh" else []
                modules[name] = gi
            if isinstance(node, ast.ImportFrom) and node.module.partition(".")[0] == "glioma_idh":
                home = find_public(node.module)
                if home is None or alias.name not in home.__all__:
                    wrong.append(ast.unparse(node))
                elif isinstance(getattr(home, alias.name), ModuleType):
                    modules[name] = getattr(home, alias.name)
    for node in nodes:
        if isinstance(node, ast.Attribute) and (parent := resolve(node.value, modules)) is not None:
            wrong += [ast.unparse(node)] if node.attr not in parent.__all__ else []
    return wrong


def find_public(name: str) -> ModuleType | None:
    """The package, or a public package in it, by its name in an import; None where it is not public."""
    _, _, inside = name.partition(".")
    if not inside:
        return gi
    return getattr(gi, inside) if inside in gi.__all__ else None


def resolve(node: ast.expr, modules: dict[str, ModuleType]) -> ModuleType | None:
    """The public package that an expression such as `gi.cohorts` stands for; None for anything else."""
    if isinstance(node, ast.Name):
        return modules.get(node.id)
    if isinstance(node, ast.Attribute) and (parent := resolve(node.value, modules)) is not None:
        value = getattr(parent, node.attr) if node.attr in parent.__all__ else None
        return value if isinstance(value, ModuleType) else None
    return None


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
