"""Times and b-values come from where they are written, in seconds, and never from a guess."""

import json

import nibabel
import numpy as np
import pytest

from glioma_idh.errors import InputError
from glioma_idh.imaging.acquisition import Acquisition, read_acquisition
from glioma_idh.imaging.diffusion.gradients import check_b_vectors
from glioma_idh.imaging.volumes import read_header_timing


def write(folder, num_volumes=1, sidecar=None, time=None, descrip="", name="scan.nii.gz", **texts):
    """An image of so many volumes, and what lies beside it."""
    shape = (3, 4, 5) if num_volumes == 1 else (3, 4, 5, num_volumes)
    image = nibabel.Nifti1Image(np.zeros(shape, np.int16), np.diag([1.0, 2.0, 3.0, 1.0]))
    if time:
        image.header.set_xyzt_units("mm", time[1])
        image.header["pixdim"][4] = time[0]
    image.header["descrip"] = descrip
    nibabel.save(image, folder / name)
    if sidecar is not None:
        (folder / "scan.json").write_text(sidecar if isinstance(sidecar, str) else json.dumps(sidecar))
    for ending, text in texts.items():
        (folder / f"scan.{ending}").write_text(text)
    return folder / name


def test_the_sidecar_counts_in_seconds_and_degrees(tmp_path):
    sidecar = {"EchoTime": 0.003, "RepetitionTime": 2.2, "InversionTime": 0.9, "FlipAngle": 9, "Other": "text"}
    assert read_acquisition(write(tmp_path, sidecar=sidecar)) == Acquisition(0.003, 2.2, 0.9, 9.0)


def test_the_header_fills_what_the_sidecar_does_not_say(tmp_path):
    scan = write(tmp_path, 20, time=(1500, "msec"), descrip="TE=30;Time=112233.000;mb=6", sidecar={"FlipAngle": 60})
    assert read_acquisition(scan) == Acquisition(echo_time_s=0.03, repetition_time_s=1.5, flip_deg=60)
    write(tmp_path, 20, time=(1.5, "sec"), descrip="TE=2.9", sidecar={"EchoTime": 0.031, "RepetitionTime": 1.55})
    assert read_acquisition(scan) == Acquisition(echo_time_s=0.031, repetition_time_s=1.55)
    write(tmp_path, 20, time=(1.5, "sec"), descrip="TE=30", sidecar={"EchoTime": 0, "RepetitionTime": 0})
    assert read_acquisition(scan) == Acquisition(echo_time_s=0.03, repetition_time_s=1.5)


def test_repetition_times_that_disagree_leave_it_unknown(tmp_path):
    scan = write(tmp_path, 20, time=(1.6, "sec"), sidecar={"EchoTime": 0.03, "RepetitionTime": 0.8})
    found = read_acquisition(scan)
    assert found.repetition_time_s is None and found.echo_time_s == 0.03
    assert found.disagreement == "0.8 s in the sidecar, 1.6 s between the volumes in the header"


def test_echo_times_of_the_header_may_have_an_exponent(tmp_path):
    assert read_acquisition(write(tmp_path, descrip="TE=1.1e+02;Time=1")).echo_time_s == pytest.approx(0.11)


@pytest.mark.parametrize("descrip", ["TE=30...;Time=1", "TE=2.9.1", "TE= 30"])
def test_free_text_that_is_no_echo_time_is_passed_over(tmp_path, descrip):
    assert read_acquisition(write(tmp_path, descrip=descrip)) == Acquisition()


def test_what_nobody_says_stays_unknown(tmp_path):
    assert read_acquisition(write(tmp_path)) == Acquisition()
    assert read_acquisition(write(tmp_path, 5, time=(2, "unknown"))) == Acquisition()
    assert read_acquisition(write(tmp_path, time=(2, "sec"))) == Acquisition()  # one volume has no step
    assert read_acquisition(write(tmp_path, sidecar={"InversionTime": 0, "EchoTime": None})) == Acquisition()


def test_b_values_and_directions_in_both_layouts(tmp_path):
    columns, rows = "0 1 0 0\n0 0 1 0\n0 0 0 1\n", "0 0 0\n1 0 0\n0 1 0\n0 0 1\n"
    for text in (columns, rows):
        found = read_acquisition(write(tmp_path, 4, bval="0 500\t1000 1000 \n", bvec=text))
        assert found.b_values == (0, 500, 1000, 1000)
        assert np.array_equal(found.b_vectors, [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    found = read_acquisition(write(tmp_path, 4, bval="0\n500\n1000\n1000\n", bvec=rows))
    assert found.b_values == (0, 500, 1000, 1000)


def test_a_direction_that_is_not_known_stays_so(tmp_path):
    found = read_acquisition(write(tmp_path, 3, bval="5 1000 1000", bvec="nan nan 0\nnan nan 0\nnan nan 1\n"))
    assert np.array_equal(found.b_vectors, [[0, 0, 0], [np.nan] * 3, [0, 0, 1]], equal_nan=True)
    with pytest.raises(InputError, match="NaN for volume 1"):
        check_b_vectors(found.b_vectors, np.array(found.b_values))


def test_sixty_four_directions_of_a_real_scanner(real_data):
    found = read_acquisition(real_data / "diffusion" / "small_64D.nii")
    assert len(found.b_values) == 65 and found.b_values[0] == 0 and found.b_vectors.shape == (65, 3)
    assert not found.b_vectors[0].any()  # nan in the file
    assert np.allclose(np.linalg.norm(found.b_vectors[1:], axis=1), 1, atol=1e-3)
    assert found.echo_time_s is None


@pytest.mark.parametrize(
    ("told", "message"),
    [
        (
            {"sidecar": {"EchoTime": 30}},
            "expected EchoTime between 0.0001 and 1 s; found 30 s.* looks like milliseconds",
        ),
        ({"sidecar": {"RepetitionTime": 1500}}, "found 1500 s"),
        ({"sidecar": {"InversionTime": 900}}, "found 900 s"),
        ({"sidecar": {"EchoTime": -0.03}}, "found -0.03 s"),
        ({"sidecar": {"FlipAngle": 700}}, "found 700 degrees"),
        ({"sidecar": {"EchoTime": "30 ms"}}, "scan.json: expected a number for EchoTime"),
        ({"sidecar": {"EchoTime": [0.01, 0.03]}}, "expected a number for EchoTime"),
        ({"sidecar": '{"EchoTime": 1' + 400 * "0" + "}"}, "expected a number for EchoTime"),
        ({"sidecar": "{broken"}, "scan.json: expected a JSON sidecar"),
        ({"sidecar": "[1]"}, "expected a JSON sidecar of keys and values"),
        ({"descrip": "TE=30000"}, "found 30 s"),
        ({"num_volumes": 9, "time": (1500, "sec")}, "found 1500 s"),
        ({"num_volumes": 3, "bval": "0 500"}, "expected 3 b-values .*; found 2 b-values"),
        ({"num_volumes": 2, "bval": "0 -5"}, "found 2 b-values from -5 to 0"),
        ({"num_volumes": 2, "bval": "0 high"}, "scan.bval: expected rows of numbers"),
        ({"num_volumes": 2, "bval": ""}, "scan.bval: expected rows of numbers; found no numbers"),
        ({"num_volumes": 2, "bval": "0 nan"}, "scan.bval: expected 2 b-values .* from 0 to 50000"),
        ({"num_volumes": 4, "bval": "0 5 5 5", "bvec": "0 0\n0 0\n0 0"}, "expected 3 x 4 numbers; found 3 x 2"),
    ],
)
def test_what_no_scanner_does_is_an_error_and_not_converted(told, message, tmp_path):
    with pytest.raises(InputError, match=message):
        read_acquisition(write(tmp_path, **told))


def test_a_header_tells_shape_grid_and_time_without_voxels(tmp_path):
    scan = write(tmp_path, 7, time=(2e6, "usec"), descrip="free text")
    assert read_header_timing(scan) == ((3, 4, 5, 7), (1.0, 2.0, 3.0), 2.0, "free text")
    assert read_header_timing(write(tmp_path)).shape == (3, 4, 5)
    nibabel.save(nibabel.Nifti1Image(np.zeros((3, 4, 1, 1, 1), np.int16), np.eye(4)), tmp_path / "flat.nii")
    assert read_header_timing(tmp_path / "flat.nii").shape == (3, 4, 1)
    assert read_header_timing(write(tmp_path, 7, time=(1e-30, "sec"))).time_step_s == pytest.approx(1e-30)
    image = nibabel.Nifti1Image(np.zeros((3, 4, 5, 7), np.int16), np.eye(4))
    image.header.set_xyzt_units("mm", "sec")
    image.header["pixdim"][4] = 0  # no time at all
    nibabel.save(image, tmp_path / "no step.nii")
    assert read_header_timing(tmp_path / "no step.nii").time_step_s is None
    (tmp_path / "scan.nii.gz").write_bytes(b"no image")
    with pytest.raises(InputError, match="expected a readable NIfTI file"):
        read_header_timing(tmp_path / "scan.nii.gz")
