"""The command that puts faults into the code, on a package of one function."""

import pytest

from tests.faults.__main__ import Fault, Outcome, draw_faults, judge, read_faults

FAULT = Fault("twice is thrice", "twice.py", "2 * x", "3 * x", ("test_twice.py",))


@pytest.fixture
def tree(tmp_path):
    """A function and its test, which a fault in the second line of the function would pass."""
    (tmp_path / "twice.py").write_text("def twice(x):\n    y = 2 * x\n    return y or 0\n")
    (tmp_path / "test_twice.py").write_text(
        "from twice import twice\n\n\ndef test_one():\n    assert twice(1) == 2\n\n\ndef test_text():\n    twice('a')\n"
    )
    return tmp_path


@pytest.mark.integration
@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({}, Outcome("caught", "test_twice.py::test_one")),
        ({"old": "y or 0", "new": "y or 1"}, Outcome("NOT CAUGHT", "test_twice.py")),
        ({"tests": ("test_twice.py::test_text",)}, Outcome("NOT CAUGHT", "test_twice.py::test_text")),
        ({"new": "2 *"}, "pytest ended with"),  # a file that cannot be read is no test that sees
        ({"tests": ("test_thrice.py",)}, "pytest ended with"),
    ],
)
def test_a_fault_is_caught_where_a_test_fails_and_only_there(tree, changes, outcome):
    before = (tree / "twice.py").read_text()
    found = judge(Fault(**{**vars(FAULT), **changes}), tree)
    assert found == outcome if isinstance(outcome, Outcome) else found.state == "CANNOT BE JUDGED"
    assert isinstance(outcome, Outcome) or outcome in found.detail
    assert (tree / "twice.py").read_text() == before


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"old": "4 * x"}, "stands 0 times in twice.py"),
        ({"old": "x"}, "stands 2 times in twice.py"),
        ({"new": "2 * x"}, "unlike the new one"),
        ({"file": "thrice.py"}, "there is no thrice.py"),
    ],
)
def test_a_fault_that_no_longer_applies_is_said(tree, changes, reason):
    state, detail = judge(Fault(**{**vars(FAULT), **changes}), tree)
    assert state == "NO LONGER APPLIES" and reason in detail


def test_every_listed_fault_has_tests_and_two_of_one_name_are_an_error(tmp_path):
    faults = read_faults()
    assert len(faults) > 16 and all(fault.tests for fault in faults)
    entry = '["it breaks"]\nfile = "a.py"\nold = "1"\nnew = "2"\ntests = ["tests"]\n'
    for name in ("one.toml", "two.toml"):
        (tmp_path / name).write_text(entry)
    with pytest.raises(ValueError, match="Two faults of one name: it breaks"):
        read_faults(tmp_path)


def test_a_draw_is_repeated_by_its_seed():
    faults = [Fault(str(number), "", "", "", ()) for number in range(50)]
    assert draw_faults(faults, 10, 1) == draw_faults(faults, 10, 1) != draw_faults(faults, 10, 2)
    assert len(set(draw_faults(faults, 10, 1))) == 10 and draw_faults(faults[:3], 10, 1) != []
