"""Workers end with their command, whatever they are doing when it is killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from joblib import delayed, parallel_config

from glioma_idh.parallel import run_parallel

PATIENCE_S = 15
"""A worker needs one second; a busy machine may need more."""
COMMAND = """
import os, pathlib, signal, sys, time
from joblib import delayed
from glioma_idh.parallel import run_parallel

def marked(phase, folder, seconds):
    pathlib.Path(folder, str(os.getpid())).touch()
    if phase == "working":
        time.sleep(seconds)
    if phase == "importing":
        sys.path.insert(0, folder)
        import slow_module
    return bytes(300_000_000) if phase == "handing over" else 0

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell takes from what it starts with &
    phase, folder = sys.argv[1:]
    results = run_parallel([delayed(marked)(phase, folder, 60) for _ in range(2)], jobs=2)
    list(results)
    time.sleep(60)
"""


def workers_of(parent: int) -> set[int]:
    """The processes that have a parent, by /proc; those that ended and were not yet collected do not count."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, above = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        found |= {int(folder.name)} if int(above) == parent and state != "Z" else set()
    return found


def is_there(process: int) -> bool:
    """Whether a process lives."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.integration
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are counted by /proc")
@pytest.mark.parametrize("phase", ["starting", "working", "importing", "handing over", "waiting"])
@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGINT])
def test_no_worker_outlives_its_command(phase, ending, tmp_path):
    (tmp_path / "slow_module.py").write_text("import time\ntime.sleep(60)\n")
    script = tmp_path / "command.py"
    script.write_text(COMMAND)
    command = subprocess.Popen([sys.executable, script, phase, tmp_path], stderr=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while not (workers_of(command.pid) if phase == "starting" else list(tmp_path.glob("[0-9]*"))):
        assert time.monotonic() < until and command.poll() is None
        time.sleep(0.05)
    time.sleep(0.0 if phase == "starting" else 0.5)
    workers = workers_of(command.pid)
    assert workers
    command.send_signal(ending)
    command.wait(30)
    until = time.monotonic() + PATIENCE_S
    while (left := {worker for worker in workers if is_there(worker)}) and time.monotonic() < until:
        time.sleep(0.05)
    for worker in left:
        os.kill(worker, signal.SIGKILL)
    assert not left


def rest(seconds: float) -> float:
    """The number that it takes."""
    time.sleep(seconds)
    return seconds


@pytest.mark.integration
def test_results_come_in_order_or_as_they_are_done():
    calls = [delayed(rest)(seconds) for seconds in (2.0, 0.0)]
    assert list(run_parallel(calls, 1)) == list(run_parallel(calls, 2)) == [2, 0]
    assert list(run_parallel(calls, 2, ordered=False)) == [0, 2]


def test_a_backend_that_was_chosen_outside_is_used():
    with parallel_config("threading"):
        (process,) = run_parallel([delayed(os.getpid)()], 2)
    assert process == os.getpid()
