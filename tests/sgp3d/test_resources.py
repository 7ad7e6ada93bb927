"""What a training will cost: the estimate, and the type that a processor does not have."""

import pytest

from glioma_idh.sgp3d import resources
from glioma_idh.sgp3d.recipe import LAPTOP


@pytest.mark.parametrize(
    ("bfloat16", "rate", "said"),
    [
        (400.0, 100.0, ""),  # a step gains less than a convolution
        (80.0, 80.0, ""),
        (4.0, 4.0, "Note: this processor takes 25 times as long in bfloat16 as in float32. Leave --dtype out.\n"),
    ],
)
def test_a_type_that_the_processor_does_not_have_is_said_and_counted(bfloat16, rate, said, monkeypatch, capsys):
    monkeypatch.setattr(resources, "_gflops", {"float32": 100.0, "bfloat16": bfloat16}.get)
    assert resources.measured_gflops("bfloat16") == pytest.approx(rate)
    assert capsys.readouterr().out == said
    assert resources.measured_gflops("float32") == 100 and capsys.readouterr().out == ""


def test_the_machine_is_measured_and_time_goes_with_its_rate():
    assert resources.measured_gflops("float32") > 1  # any machine of this century
    slow, quick = (resources.needed_seconds(LAPTOP, 16, gflops) for gflops in (10, 100))
    assert slow == pytest.approx(10 * quick)
