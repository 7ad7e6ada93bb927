"""Where reports are what is tested, they are written."""

import pytest

from tests.conftest import written_reports


@pytest.fixture(scope="module", autouse=True)
def _with_reports():
    with written_reports():
        yield
