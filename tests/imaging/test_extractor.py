"""An extractor of the user's own: a small script takes its place, well-behaved and not."""

import shlex
import sys

import numpy as np
import pytest

from glioma_idh.errors import InputError
from glioma_idh.imaging.brain import extract_brain_with
from glioma_idh.imaging.volumes import Volume

pytestmark = pytest.mark.integration

SCRIPT = """
import gzip, struct, sys
from array import array
content = bytearray(gzip.open(sys.argv[1]).read())  # NIfTI of 32-bit floats: 352 bytes, then the voxels
voxels = array("f", content[352:])
manner = sys.argv[3]
if manner == "fail":
    print("loading weights")
    sys.exit("no weights found")
if manner == "nothing":
    sys.exit()
mask = array("f", [float(value > 10) * (manner != "empty") for value in voxels])
if manner == "other grid":
    content[42:44], mask = struct.pack("<h", 1), mask[::2]
if manner == "moved grid":
    content[292:296] = struct.pack("<f", 3.0)  # where the first voxel lies from left to right
with gzip.open(sys.argv[2], "wb") as file:
    file.write(bytes(content[:352]) + mask.tobytes())
"""
"""Plain Python, which starts quickly."""


@pytest.fixture
def extractor(tmp_path):
    """A function that runs a small extractor, in folders with spaces in their names, on a volume."""
    script, folder = tmp_path / "own extractor.py", tmp_path / "a folder"
    script.write_text(SCRIPT)
    head = Volume(np.arange(24.0, dtype=np.float32).reshape(2, 3, 4), np.diag([1.0, 2, 3, 1]), "t1.nii.gz")

    def run(manner):
        words = shlex.join([sys.executable, "-I", "-S", str(script)]) + " {input} {mask} " + shlex.quote(manner)
        return head, extract_brain_with(words, head, folder)

    return run


def test_extractor_of_ones_own(extractor):
    head, mask = extractor("threshold")
    assert np.array_equal(mask.array, head.array > 10) and mask.array.dtype == np.uint8
    assert np.array_equal(mask.affine, head.affine)


@pytest.mark.parametrize(
    ("manner", "said"),
    [
        ("fail", "ended with exit status 1: loading weights / no weights found"),
        ("nothing", "no file"),
        ("empty", "empty"),
        ("other grid", "shape"),
        ("moved grid", "expected the same grid; found a grid displaced by up to 3.0 mm"),
    ],
)
def test_extractor_that_does_not_work(extractor, manner, said):
    extractor("threshold")  # a mask from an earlier run does not count
    with pytest.raises(InputError, match=said):
        extractor(manner)


@pytest.mark.parametrize(
    "command", ["synthstrip {input}", "synthstrip {mask}", "", "no-such-program {input} {mask}", "x '{input} {mask}"]
)
def test_command_that_cannot_be_run(tmp_path, command):
    with pytest.raises(InputError, match=r"\{mask\}|no program no-such-program|No closing quotation"):
        extract_brain_with(command, Volume(np.ones((2, 2, 2)), np.eye(4)), tmp_path)
