"""The version stands in one place, and the files around the package agree with it and with `.ci/run`."""

import configparser
import re
from pathlib import Path

import pytest
import yaml

import glioma_idh

ROOT = Path(__file__).parents[1]


def test_every_version_is_that_of_the_package():
    assert re.search(r"^version: (.+)$", (ROOT / "CITATION.cff").read_text(), re.M)[1] == glioma_idh.__version__
    changes = re.findall(r"^## \[?(\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert changes[0] == glioma_idh.__version__
    metadata = configparser.ConfigParser()
    metadata.read(ROOT / "setup.cfg")
    assert metadata["metadata"]["version"] == "attr: glioma_idh.__version__"


def test_the_manifests_are_no_package_of_their_own():
    assert not list((ROOT / "data_manifests").glob("*.py"))


@pytest.mark.parametrize("name", [".pre-commit-config.yaml", ".github/workflows/ci.yml"])
def test_settings_in_yaml_can_be_read(name):
    assert yaml.safe_load((ROOT / name).read_text())


def test_the_workflow_runs_the_checks_and_tests_every_python_version_that_is_named():
    text = (ROOT / ".github/workflows/ci.yml").read_text()
    named = set(re.findall(r"Python :: (3\.\d+)", (ROOT / "setup.cfg").read_text()))
    assert set(re.findall(r'"(3\.\d+)"', text)) == named and "- run: .ci/run\n" in text
    (line,) = re.findall(r'^pip install "\.\[test\]" && pytest$', (ROOT / "README.md").read_text(), re.M)
    assert f"- run: {line}\n" in text


def test_ci_checks_the_wheel():
    assert (ROOT / ".ci/check_wheel").stat().st_mode & 0o100
    assert "\n.ci/check_wheel\n" in (ROOT / ".ci/run").read_text()
