"""Every command that works in several processes ends with all of them, whatever it is doing when it is stopped."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from glioma_idh.imaging.volumes import write_volume
from tests.conftest import write_cohort

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not hasattr(os, "getsid"), reason="processes are counted by their session"),
]

PATIENCE_S = 15
"""They need two seconds; a busy machine may need more."""
ENDINGS = (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP)
SPANS_S = {"check": 0.8, "prepare": 2.0, "gbm2d": 40.0, "sgp3d": 40.0}
"""For how long from the first worker on a command is at work even on a quick machine, or is worth looking at."""


def arguments_of(name: str, folder: Path) -> list[str]:
    """A command of two processes, with small inputs of its own."""
    if name == "check":
        return ["cohorts", "check", "--cohort", str(write_cohort(folder)), "--out", str(folder / "out"), "--jobs", "2"]
    if name == "prepare":
        rng = np.random.default_rng(0)
        for patient in ("p1", "p2", "p3"):
            for role in ("t1", "t1gd", "t2", "flair"):
                voxels = rng.uniform(50, 100, (24, 28, 12)).astype(np.float32)
                write_volume(folder / "in" / patient / f"{role}.nii.gz", voxels, np.diag([3.0, 3, 5, 1]))
        few = ("--skip", "head-motion", "registration", "brain", "bias")
        return ["prepare", str(folder / "in"), "--many", "--jobs", "2", "--out", str(folder / "out"), *few]
    return [f"{name}.train", "--run-dir", str(folder / "run"), "--jobs", "2"]


def processes_of(session: int) -> list[psutil.Process]:
    """The living processes of a session."""
    found = []
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == session and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (ProcessLookupError, PermissionError, psutil.Error):
            continue
    return found


def stop(name: str, seed: int, folder: Path, ending: signal.Signals, everyone: bool) -> tuple[int, str, int]:
    """Stop a command at a random moment after its first worker has come, and count what is left.

    Args:
        name: of SPANS_S.
        seed: of the moment.
        folder: for inputs and results.
        ending: the signal.
        everyone: whether it goes to all processes of the session, as Ctrl-C does, or to the command alone.

    Returns:
        How many processes are left, what was said on standard error, and the exit status.
    """
    module, *rest = arguments_of(name, folder)
    words = [sys.executable, "-m", f"glioma_idh.{module}", *rest]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    with open(folder / "said.txt", "w") as said:
        streams = {"stdout": subprocess.DEVNULL, "stderr": said, "start_new_session": True, "env": environment}
        command = subprocess.Popen(words, **streams)
    until = time.monotonic() + 180
    while len(processes_of(command.pid)) < 2 and command.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
    wait_s = random.Random(f"{name} {seed}").uniform(0, SPANS_S[name])
    print(f"{name}, seed {seed}: {ending.name} {wait_s:.2f} s after the first worker")
    time.sleep(wait_s)
    was_at_work = command.poll() is None
    if was_at_work:
        (os.killpg if everyone else os.kill)(command.pid, ending)
    command.wait(60)
    until = time.monotonic() + PATIENCE_S
    while (left := processes_of(command.pid)) and time.monotonic() < until:
        time.sleep(0.05)
    for process in left:
        process.kill()
    return len(left), (folder / "said.txt").read_text() if was_at_work else "", command.returncode


SLOW = [pytest.mark.slow]
SEEDS = {
    "check": [(0, ()), (1, SLOW)],
    "prepare": [(0, ()), (1, SLOW)],
    "gbm2d": [(seed, SLOW) for seed in (0, 1)],
    "sgp3d": [(seed, SLOW) for seed in (0, 1)],
}
MOMENTS = [pytest.param(name, seed, marks=marks) for name, seeds in SEEDS.items() for seed, marks in seeds]


@pytest.mark.parametrize(("name", "seed"), MOMENTS)
def test_nothing_is_left_of_a_command_that_was_killed(name, seed, tmp_path):
    left, *_ = stop(name, seed, tmp_path, ENDINGS[seed % len(ENDINGS)], everyone=False)
    assert left == 0


@pytest.mark.parametrize(("name", "seed"), MOMENTS)
def test_ctrl_c_ends_everything_with_one_line(name, seed, tmp_path):
    left, said, status = stop(name, seed + 100, tmp_path, signal.SIGINT, everyone=True)
    assert left == 0 and "Traceback" not in said
    at_its_end = not said or status == 0  # on a quick machine it has done all when Ctrl-C comes
    assert at_its_end or said.rstrip().endswith("Interrupted. Give the same command again to continue.")
