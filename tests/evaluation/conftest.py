"""Linear algebra of these tests in one thread: with models of 100 patients, several only wait for each other."""

import pytest
from threadpoolctl import threadpool_limits


@pytest.fixture(scope="package", autouse=True)
def _one_thread():
    with threadpool_limits(1, user_api="blas"):
        yield
