"""A handful of coarse subjects, made once."""

import pytest

from glioma_idh.phantom import make_phantom


@pytest.fixture(scope="session")
def small_phantom(tmp_path_factory):
    """Folder of 6 subjects, 2 mutant, at 6 mm, all sequences."""
    return make_small(tmp_path_factory.mktemp("phantom") / "small").parent


def make_small(folder, **changes):
    """`cohort.csv` of a phantom that takes a second."""
    return make_phantom(
        folder, **{"num_subjects": 6, "num_mutant": 2, "seed": 0, "spacing_mm": 6, "jobs": 1, "quiet": True} | changes
    )


@pytest.fixture(scope="session")
def make():
    """The function that makes a small phantom in a folder."""
    return make_small


@pytest.fixture(scope="session")
def contents():
    """A function: every file of a folder, as bytes by relative path."""
    return lambda folder: {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }
