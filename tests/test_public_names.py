"""The public interface: each name is there, is documented, is not hidden by a module, and is loaded on first use."""

import ast
import importlib
import importlib.util
import inspect
import pkgutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import glioma_idh as gi

PACKAGES = ["cohorts", "evaluation", "figures", "gbm2d", "phantom", "sgp3d"]
PUBLIC = [gi, *(importlib.import_module(f"glioma_idh.{name}") for name in PACKAGES)]
PROMISED = {  # the names that users are told of
    "glioma_idh": {*PACKAGES, "InputError", "Run", "make_phantom", "prepare_patient", "read_predictions"},
    "glioma_idh.cohorts": {"check", "overlap", "read", "split"},
    "glioma_idh.evaluation": {"compare", "evaluate"},
    "glioma_idh.figures": {"contact_sheet", "roc_with_bands"},
    "glioma_idh.gbm2d": {"Job", "Prediction", "Recipe", "build_cnn", "predict_cohort", "train_run", "train_runs"},
    "glioma_idh.sgp3d": {"Job", "Prediction", "Recipe", "SGPNet", "predict_cohort", "train_run"},
    "glioma_idh.phantom": {"make_phantom"},
}
SLOW_TO_LOAD = "('tensorflow', 'keras', 'pandas', 'numpy', 'scipy', 'sklearn', 'matplotlib', 'nibabel', 'SimpleITK')"


@pytest.fixture(params=PUBLIC, ids=[module.__name__ for module in PUBLIC])
def package(request) -> ModuleType:
    """Each public package."""
    return request.param


@pytest.fixture(scope="module")
def everything() -> None:
    """Every module is imported, so that a submodule that bears the name of a function has taken its place."""
    for module in pkgutil.walk_packages(gi.__path__, "glioma_idh."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


def test_the_names_that_users_are_told_of_are_public(package):
    assert set(package.__all__) >= PROMISED[package.__name__]
    assert dir(package) == sorted(package.__all__)


@pytest.mark.integration
def test_every_public_name_is_there_and_documented_after_all_modules_are_imported(package, everything):
    for name in package.__all__:
        value = getattr(package, name)
        if isinstance(value, ModuleType):
            assert package is gi and name in PACKAGES, f"{name} is hidden by a module"
        if isinstance(value, ModuleType | type) or callable(value):
            first, *_ = (inspect.getdoc(value) or "").split("\n")
            assert first and not first.startswith(f"{name}("), f"{name} has no docstring"


def test_no_function_has_the_name_of_a_submodule(package):
    if not hasattr(package, "__path__"):
        return
    modules = {module.name for module in pkgutil.iter_modules(package.__path__)}
    taken = modules & set(package.__all__)
    assert taken == (set(PACKAGES) if package is gi else set())


@pytest.mark.integration
def test_type_checkers_are_told_the_same_names(package):
    """The imports under `if TYPE_CHECKING` and the names that are loaded on first use are the same."""
    tree = ast.parse(Path(package.__file__).read_text())
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    names = {alias.name: node.module for node in block.body for alias in node.names}
    assert sorted(names) == package.__all__
    for name, module in names.items():
        value = getattr(package, name)
        assert value is getattr(importlib.import_module(module), name), name
        if not isinstance(value, ModuleType) and hasattr(value, "__module__"):
            assert value.__module__ == module, f"{name} is defined in {value.__module__}"


def test_an_unknown_name_is_an_attribute_error(package):
    with pytest.raises(AttributeError, match=rf"{package.__name__}.*no_such_name"):
        package.no_such_name  # noqa: B018


@pytest.mark.integration
@pytest.mark.parametrize(
    "use",
    [
        "import glioma_idh",
        "import glioma_idh as gi; gi.cohorts.PUBLIC, gi.evaluation, gi.figures, gi.phantom, gi.InputError, dir(gi)",
        "import glioma_idh as gi; gi.gbm2d.Recipe(), gi.gbm2d.Job(), gi.sgp3d.Recipe(), gi.sgp3d.Prediction('run')",
    ],
)
def test_what_is_slow_to_load_is_not_loaded_before_it_is_needed(use):
    code = f"{use}\nimport sys\nprint([name for name in {SLOW_TO_LOAD} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_type_hints_are_shipped():
    assert (Path(gi.__file__).parent / "py.typed").is_file()
    setup = (Path(__file__).parents[1] / "setup.cfg").read_text()
    assert "\nglioma_idh = py.typed\n" in setup


def test_every_argument_and_result_of_a_public_function_has_a_type(package):
    for name in package.__all__:
        value = getattr(package, name)
        if inspect.isfunction(value) and value.__module__.startswith("glioma_idh"):
            hints = inspect.signature(value)
            bare = [p.name for p in hints.parameters.values() if p.annotation is inspect.Parameter.empty]
            assert not bare, f"{package.__name__}.{name}: no type of {', '.join(bare)}"
            assert hints.return_annotation is not inspect.Signature.empty, f"{package.__name__}.{name}: no result"
