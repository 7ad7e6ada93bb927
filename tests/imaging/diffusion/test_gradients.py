"""Shells as scanners write them, directions that fix a tensor, and tables that cannot be right."""

import numpy as np
import pytest

from glioma_idh.errors import InputError
from glioma_idh.imaging.diffusion.gradients import (
    check_b_values,
    check_b_vectors,
    group_shells,
    imbalance,
    num_independent,
    num_repeats,
    rotate_with_head,
    share_of_each,
    tensor_design,
    to_file,
    to_scanner,
)
from glioma_idh.imaging.resampling import rigid_matrix

SIX = np.array([[1, 1, 0], [1, -1, 0], [1, 0, 1], [1, 0, -1], [0, 1, 1], [0, 1, -1]]) / np.sqrt(2)


def test_shells_as_scanners_write_them():
    shells = group_shells([0, 1003, 5, 987, 495, 500, 990])
    assert list(shells) == pytest.approx([2.5, 497.5, 2980 / 3])
    assert [members.tolist() for members in shells.values()] == [[0, 2], [4, 5], [1, 3, 6]]


def test_b_50_is_a_shell_of_its_own_beside_0():
    assert list(group_shells([0, 50, 50, 1000])) == [0, 50, 1000]
    assert list(group_shells([0, 50, 1000], tolerance=60)) == [25, 1000]


def test_a_shell_is_as_wide_as_said_and_no_chain():
    assert list(group_shells([0, 30, 60, 90, 1000])) == [15, 75, 1000]
    assert list(group_shells([0, 40, 41])) == [20, 41]


def test_directions_that_lie_on_a_cone_or_repeat_fix_no_tensor():
    assert num_independent(SIX) == num_independent(-SIX) == 6
    assert num_independent(np.vstack([np.zeros((2, 3)), SIX[:5], -SIX[:5]])) == 5
    again = SIX[:5] @ [[1, 0.02, 0], [-0.02, 1, 0], [0, 0, 1]]  # turned by a degree, as a scan is that was held still
    assert num_independent(np.vstack([SIX[:5], again])) == 5
    assert num_independent(np.eye(3)) == 3 and num_independent(np.zeros((4, 3))) == 0
    angles = 2 * np.pi * np.arange(20) / 20
    flat = np.stack([np.cos(angles), np.sin(angles), np.zeros(20)], axis=1)
    assert num_independent(flat) == 3  # xx, yy and xy


@pytest.mark.parametrize("turn_deg", [5, 10])
def test_three_directions_of_a_head_that_turns_are_three(turn_deg):
    turned = np.eye(3) @ rigid_matrix((turn_deg, turn_deg / 2, -turn_deg / 2), (0, 0, 0), (0, 0, 0))[:3, :3]
    directions = np.vstack([np.eye(3), np.eye(3), -turned, turned])
    assert num_independent(directions) == 3
    assert num_repeats(directions).tolist() == [4] * 12


OBLIQUE = rigid_matrix((12, -7, 25), (3, 4, 5), (0, 0, 0)) @ np.diag([2.0, 2, 3, 1])


def test_fsl_turns_the_first_axis_round_in_right_handed_files_alone():
    along = np.eye(3)
    assert to_scanner(along, np.diag([2.0, 2, 3, 1])).tolist() == [[-1, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert to_scanner(along, np.diag([-2.0, 2, 3, 1])).tolist() == [[-1, 0, 0], [0, 1, 0], [0, 0, 1]]
    swapped = np.array([[0, -2.0, 0, 9], [0, 0, 3, 9], [4, 0, 0, 9], [0, 0, 0, 1]])  # i up, j left, k front: det < 0
    assert to_scanner(along, swapped).tolist() == [[0, 0, 1], [-1, 0, 0], [0, 1, 0]]


def test_directions_on_the_axes_of_a_tilted_file_and_back():
    world = to_scanner(np.array([[1.0, 0, 0], [0, 0.6, 0.8]]), OBLIQUE)
    turn = OBLIQUE[:3, :3] / [2, 2, 3]
    assert world == pytest.approx(np.array([-turn[:, 0], 0.6 * turn[:, 1] + 0.8 * turn[:, 2]]))
    assert to_file(world, OBLIQUE) == pytest.approx(np.array([[1.0, 0, 0], [0, 0.6, 0.8]]))


def test_gradients_turn_back_with_the_head():
    """The head turns from its front to its left: a gradient to the left meets what lies to the front at rest."""
    quarter = rigid_matrix((0, 0, 90), (5, 6, 7), (1, 2, 3))
    assert quarter[:3, :3] @ [0, 1, 0] == pytest.approx([-1, 0, 0])
    turned = rotate_with_head(np.array([[-1.0, 0, 0], [-1, 0, 0]]), np.array([np.eye(4), quarter]))
    assert turned == pytest.approx(np.array([[-1.0, 0, 0], [0, 1, 0]]))


def test_repeats_of_a_direction_count_as_one():
    turned = [np.cos(0.04), np.sin(0.04), 0]  # by 2 degrees
    directions = np.array([[1.0, 0, 0], turned, [-1, 0, 0], [0, 1, 0], [0, 0, 0], [0, 0, 0]])
    assert num_repeats(directions).tolist() == [3, 3, 3, 1, 2, 2]
    assert share_of_each(directions) == pytest.approx(np.array([1 / 3, 1 / 3, 1 / 3, 1, 1 / 2, 1 / 2]) / 3)


def test_how_far_the_mean_of_directions_is_from_the_trace():
    x, y, z = np.eye(3)
    assert imbalance(np.eye(3)) == pytest.approx(0) and imbalance(np.array([x, x, y, z])) == pytest.approx(0)
    assert imbalance(SIX) == pytest.approx(0) and imbalance(np.zeros((3, 3))) == 0
    assert imbalance(np.array([x, x])) == pytest.approx(2 / 3)
    assert imbalance(np.array([x, y])) == pytest.approx(1 / 3)  # nothing along z
    assert imbalance(SIX[:5]) == pytest.approx(2 / 15)  # (I / 3 - g g') / 5


def test_directions_at_b_0_fix_nothing():
    b_values, directions = np.array([0.0, *[1000] * 5]), np.array([[0, 0, 1.0], *SIX[:5]])
    with pytest.raises(InputError, match="found 5 directions"):
        tensor_design(b_values, directions)


def test_design_gives_the_signal_of_a_tensor():
    b_values, directions = np.array([0, 700, 1000.0]), np.array([[0, 0, 0], [1, 0, 0], [0, 0.6, 0.8]])
    many = np.vstack([directions, SIX]), np.append(b_values, np.full(6, 500.0))
    tensor = np.array([[1.7, 0.1, 0.2], [0.1, 0.4, 0.3], [0.2, 0.3, 0.6]])  # um2/ms
    coefficients = [np.log(80), 1.7, 0.4, 0.6, 0.1, 0.2, 0.3]
    expected = [np.log(80) - b / 1000 * g @ tensor @ g for b, g in zip(many[1], many[0], strict=True)]
    assert tensor_design(many[1], many[0]) @ coefficients == pytest.approx(expected)


def test_a_volume_without_direction_is_trace_weighted():
    b_values, directions = np.append([0, 900.0], np.full(6, 1000.0)), np.vstack([np.zeros((2, 3)), SIX])
    assert tensor_design(b_values, directions)[1] == pytest.approx([1, -0.3, -0.3, -0.3, 0, 0, 0])


@pytest.mark.parametrize(
    "b_values, directions, found",
    [
        ([0, *[1000] * 5], [[0, 0, 0], *SIX[:5]], "5 directions, b = 0, 1000"),
        ([1000] * 6, SIX, "6 directions, b = 1000"),
    ],
)
def test_no_tensor_without_six_directions_and_a_second_b_value(b_values, directions, found):
    with pytest.raises(InputError, match=found):
        tensor_design(np.array(b_values, float), np.array(directions))


def test_vectors_come_back_at_length_one_and_nan_at_b_0_is_none():
    vectors = check_b_vectors([[np.nan] * 3, [3, 0, 4], [0, 0, 0]], np.array([0, 1000.0, 1000]))
    assert vectors.tolist() == [[0, 0, 0], [0.6, 0, 0.8], [0, 0, 0]]


@pytest.mark.parametrize(
    "vectors, found",
    [(np.zeros((3, 4)), r"shape \(3, 4\).*transposed"), ([[0, 0, 0]] * 3 + [[np.nan] * 3], "NaN for volume 3")],
)
def test_vectors_that_cannot_be_right(vectors, found):
    with pytest.raises(InputError, match=found):
        check_b_vectors(vectors, np.array([0, 0, 1000, 1000.0]))


@pytest.mark.parametrize(
    "b_values, found",
    [
        ([0, 1000], r"2 b-values for a series of shape \(2, 2, 2, 3\)"),
        ([0, 0, 0], "at most 0"),
        ([0, 500, np.nan], "found nan"),
        ([0, -5, 1000], "found -5"),
        ([0, 5e8, 1e9], r"s/m2\?"),
        ([0, 0.5, 1], r"ms/um2\?"),
    ],
)
def test_b_values_that_cannot_be_right(b_values, found):
    with pytest.raises(InputError, match=found):
        check_b_values(b_values, np.ones((2, 2, 2, 3)))
