"""What a training will cost: the estimate, and the type that a processor does not have."""

import subprocess
import sys
from dataclasses import replace

import pandas as pd
import pytest

from glioma_idh.errors import InputError
from glioma_idh.progress import in_words
from glioma_idh.sgp3d import resources
from glioma_idh.sgp3d.method import print_cost
from glioma_idh.sgp3d.recipe import LAPTOP


@pytest.mark.parametrize(
    ("bfloat16", "rate", "said"),
    [
        (400.0, 100.0, ""),  # a step gains less than a convolution
        (80.0, 80.0, ""),
        (4.0, 4.0, "Warning: bfloat16 takes 25 times as long as float32 on this processor. Leave --dtype out.\n"),
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


def test_memory_goes_with_jobs_voxels_batch_and_network():
    base = resources.needed_gb(LAPTOP, 1)
    assert base == pytest.approx(0.8 + 32**3 * 2 * 1150 / 1e9)  # benchmarks/README.md
    assert resources.needed_gb(LAPTOP, 3) == pytest.approx(3 * base)
    assert resources.needed_gb(replace(LAPTOP, batch_size=4), 1) - 0.8 == pytest.approx(2 * (base - 0.8))
    assert resources.needed_gb(replace(LAPTOP, network="unet3d"), 1) - 0.8 == pytest.approx(1.4 * (base - 0.8))
    assert resources.needed_gb(replace(LAPTOP, dtype="bfloat16"), 1) < base


@pytest.mark.parametrize(("free", "enough"), [(1.01, True), (0.99, False)])
def test_nine_tenths_of_the_free_memory_may_be_taken(monkeypatch, free, enough):
    needed = resources.needed_gb(LAPTOP, 2)
    monkeypatch.setattr(resources, "free_gb", lambda: free * needed / 0.9)
    if enough:
        resources.check_memory(LAPTOP, 2)
        return
    with pytest.raises(InputError, match="Use --jobs 1, a smaller --shape"):
        resources.check_memory(LAPTOP, 2)


def test_time_goes_with_epochs_and_begun_batches():
    one = resources.needed_seconds(LAPTOP, 15, 10)
    assert resources.needed_seconds(LAPTOP, 16, 10) == pytest.approx(one)  # 8 batches of 2
    assert resources.needed_seconds(LAPTOP, 17, 10) == pytest.approx(one * 9 / 8)
    assert resources.needed_seconds(replace(LAPTOP, epochs=80), 15, 10) == pytest.approx(2 * one)


def test_the_estimate_counts_the_round_that_is_not_full_and_four_fifths_of_the_subjects(monkeypatch, capsys):
    """Five splits, two at once, are three rounds."""
    monkeypatch.setattr(resources, "measured_gflops", {"float32": 0.5}.get)
    monkeypatch.setattr(resources, "free_gb", lambda: 1000.0)
    recipe = replace(LAPTOP, num_splits=5)
    table = pd.DataFrame("a.nii", range(52), ["t1", "t1gd", "t2", "flair"])
    table.loc[:1, "t2"] = ""  # who lacks one is not trained on
    print_cost(recipe, table, [], 2, 1)
    words = in_words(3 * resources.needed_seconds(recipe, 40, 0.5))
    memory = f"Estimate: about {resources.needed_gb(recipe, 2):.1f} GB of memory"
    assert capsys.readouterr().out == f"{memory} of 1000.0 GB free, about {words}\n"
    print_cost(recipe, table, ["a GPU"], 2, 1)
    assert capsys.readouterr().out == f"{memory}\n"


@pytest.mark.integration
def test_the_estimate_leaves_a_training_in_the_same_process_its_threads():
    """As with --jobs 1: its numbers would else depend on the processors, and on whether it was killed and went on."""
    code = """
from glioma_idh.training import device
import pandas as pd
from glioma_idh.sgp3d.method import print_cost
from glioma_idh.sgp3d.recipe import LAPTOP

sequences = ["t1", "t1gd", "t2", "flair"]
print_cost(LAPTOP, pd.DataFrame("a.nii", range(50), sequences), [], 1, 1)
device.make_reproducible(0, 1)
"""
    done = subprocess.run([sys.executable, "-W", "error::UserWarning", "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
