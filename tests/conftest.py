"""The tiers of the suite, and cohorts small enough to reason about, on disk as a user would have them."""

import contextlib
import functools
import inspect
import os
from pathlib import Path

import nibabel
import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

import glioma_idh  # noqa: F401  before any test imports Keras: it sets how TensorFlow loads
from glioma_idh import log

SHAPE = (20, 20, 8)
AFFINE = np.diag([2.0, 2.0, 3.0, 1.0])


def save(path: Path, array, affine=AFFINE) -> str:
    """Write an array as NIfTI; returns the path as text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(np.asarray(array, dtype=np.float32), affine), path)
    return str(path)


def write_cohort(folder: Path, num_subjects: int = 24, num_mutant: int = 8, prefix: str = "s", seed: int = 0) -> Path:
    """A cohort of noise brains with its CSV; a mutant's lesion is dark, a wild-type's bright.

    No two masks are alike: beyond the widest slice, `k` = 3, half of the voxels, drawn by lot, lie a slice further up.
    """
    rng, rng_of_masks = np.random.default_rng(seed), np.random.default_rng([seed, 1])
    brain, mask = np.zeros(SHAPE), np.zeros(SHAPE)
    brain[2:18, 2:18, 1:7] = 1
    mask[5:13, 6:12, 2:5] = 1
    mask[5:13, 6:13, 3] = 1
    rows = []
    for number in range(num_subjects):
        subject, idh = f"{prefix}{number:02}", int(number < num_mutant)
        scan = brain * (100 + rng.normal(0, 3, SHAPE)) + mask * (20 - 40 * idh)
        row = {"subject": subject, "patient": subject, "idh": idh}
        row["t2"] = save(folder / "scans" / subject / "t2.nii.gz", scan)
        own, moved = mask.copy(), rng_of_masks.random(SHAPE[:2]) < 0.5
        own[..., 4], own[..., 5] = mask[..., 4] * ~moved, mask[..., 4] * moved
        row["lesion_mask"] = save(folder / "scans" / subject / "mask.nii.gz", own)
        rows.append(row)
    path = folder / "cohort.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


@pytest.fixture
def make_cohort(tmp_path):
    """A function that writes such a cohort into the test's own folder."""
    return lambda **size: write_cohort(tmp_path, **size)


@pytest.fixture
def edit_table():
    """A function that changes one cell of a cohort CSV."""

    def edit(path: Path, subject: str, column: str, value) -> None:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        table = table.reindex(columns=list(dict.fromkeys([*table, column])), fill_value="")
        table.loc[table["subject"] == subject, column] = str(value)
        table.to_csv(path, index=False)

    return edit


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    """Linear algebra in one thread: of models of 100 patients several threads only wait for each other."""
    with threadpool_limits(1, user_api="blas"):
        yield


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory):
    """Phantoms are made by the code that is tested, not found in the user's cache."""
    os.environ["GLIOMA_IDH_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session", autouse=True)
def _log_on_standard_error():
    """Log lines are written as in a command, so that `capsys` sees them; `test_log` has its own settings."""
    with log.shown():
        yield


@pytest.fixture(scope="session", autouse=True)
def _no_lines_of_progress():
    """How fast the machine is changes nothing on standard error; `test_progress` sets its own times."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("glioma_idh.progress.FIRST_S", 3600.0)
        yield


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real scans and labels, where there is one."""
    folder = os.environ.get("GLIOMA_IDH_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("GLIOMA_IDH_DATA names no folder of real data")
    return Path(folder)


@pytest.fixture(scope="session", autouse=True)
def _without_reports():
    """Most trainings of tests end without figures and page, which take seconds; see `written_reports`."""
    from glioma_idh.reporting import report

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "publish", functools.wraps(report.publish)(lambda *_: {}))
        yield


@contextlib.contextmanager
def written_reports():
    """Within, a training ends with its report, as it does for everybody else."""
    from glioma_idh.reporting import report

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "publish", inspect.unwrap(report.publish))
        yield


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """`pytest -m quick` runs what is neither slow nor an integration test."""
    for item in items:
        if not any(item.iter_markers("slow")) and not any(item.iter_markers("integration")):
            item.add_marker("quick")
