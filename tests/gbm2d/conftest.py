"""Scans are read in the tests' own process: each other one would first import what reads them."""

import pytest


@pytest.fixture(scope="session", autouse=True)
def _one_process():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOKY_MAX_CPU_COUNT", "1")
        yield
