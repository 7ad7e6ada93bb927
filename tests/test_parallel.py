"""Workers end with their command, whatever they are doing when it is killed."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import nullcontext
from pathlib import Path

import pytest
from joblib import delayed, parallel_config

from glioma_idh import log
from glioma_idh.parallel import run_parallel, start_worker

PATIENCE_S = 15
"""A worker needs one second; a busy machine may need more."""
COMMAND = """
import ctypes, os, pathlib, signal, sys, threading, time
from joblib import delayed
from glioma_idh.errors import ending_plainly
from glioma_idh.parallel import run_parallel

def marked(phase, folder, seconds):
    pathlib.Path(folder, str(os.getpid())).touch()
    if phase == "working":
        time.sleep(seconds)
    if phase == "holding":
        ctypes.PyDLL(None).sleep(60)  # no other thread of Python runs meanwhile, as in some imports
    if phase == "importing":
        sys.path.insert(0, folder)
        import slow_module
    return bytes(300_000_000) if phase == "handing over" else 0

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell takes from what it starts with &
    phase, folder = sys.argv[1:]
    calls = [delayed(marked)("working" if phase == "thread" else phase, folder, 60) for _ in range(2)]
    with ending_plainly():
        if phase == "thread":
            threading.Thread(target=lambda: list(run_parallel(calls, jobs=2)), daemon=True).start()
        else:
            list(run_parallel(calls, jobs=2))
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


def start(phase: str, folder: Path) -> subprocess.Popen:
    """A command of two workers, in a session of its own, that has come to a phase."""
    (folder / "slow_module.py").write_text("import time\ntime.sleep(60)\n")
    script = folder / "command.py"
    script.write_text(COMMAND)
    arguments = [sys.executable, script, phase, folder]
    command = subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True, start_new_session=True)
    until = time.monotonic() + 60
    while not (workers_of(command.pid) if phase == "starting" else list(folder.glob("[0-9]*"))):
        assert time.monotonic() < until and command.poll() is None
        time.sleep(0.05)
    time.sleep(0.0 if phase == "starting" else 0.5)
    return command


def left_of(processes: set[int]) -> set[int]:
    """Those of some processes that live on for longer than they may; here they are ended."""
    until = time.monotonic() + PATIENCE_S
    while (left := {process for process in processes if is_there(process)}) and time.monotonic() < until:
        time.sleep(0.05)
    for process in left:
        os.kill(process, signal.SIGKILL)
    return left


on_linux = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are counted by /proc")
LIKE_A_KILL = [pytest.param(ending, marks=pytest.mark.slow) for ending in (signal.SIGHUP, signal.SIGTERM)]
PHASES = ["starting", "working", "importing", "handing over", "waiting"]


@pytest.mark.integration
@on_linux
@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGINT, *LIKE_A_KILL])
def test_no_worker_outlives_its_command(phase, ending, tmp_path):
    command = start(phase, tmp_path)
    workers = workers_of(command.pid)
    assert workers
    command.send_signal(ending)
    command.wait(30)
    assert not left_of(workers)


@pytest.mark.integration
@on_linux
@pytest.mark.parametrize("phase", ["holding", "thread"])
def test_one_of_two_ways_is_enough_to_end_workers_with_their_command(phase, tmp_path):
    """Where a worker holds the interpreter, its watching thread waits and the kernel ends it.

    Where another thread has started it, the watching thread alone does.
    """
    command = start(phase, tmp_path)
    workers = workers_of(command.pid)
    command.kill()
    command.wait(30)
    assert workers and not left_of(workers)


@pytest.mark.integration
@on_linux
@pytest.mark.parametrize("phase", PHASES)
def test_ctrl_c_at_the_terminal_is_one_line(phase, tmp_path):
    """It reaches every process of the terminal at once."""
    command = start(phase, tmp_path)
    workers = workers_of(command.pid)
    os.killpg(command.pid, signal.SIGINT)
    _, said = command.communicate(timeout=30)
    assert command.returncode == 130 and not left_of(workers)
    assert said.split("\n") == ["", "Interrupted. Give the same command again to continue.", ""]


@pytest.mark.integration
@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone ends a program with the process that waits for it")
def test_a_program_ends_with_the_command_that_waits_for_it():
    code = "from glioma_idh.imaging.brain import run_extractor; run_extractor(['sleep', '60'])"
    command = subprocess.Popen([sys.executable, "-c", code])
    until = time.monotonic() + 60
    while not (programs := workers_of(command.pid)) and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(0.5)  # until it is the program
    command.kill()
    command.wait(30)
    assert programs and not left_of(programs)


@pytest.mark.parametrize("in_main", [True, False])
def test_linux_ends_workers_only_where_what_started_them_lives_as_long_as_the_command(in_main, monkeypatch):
    """Its signal comes when the thread ends that started a worker, which may be long before the process does."""
    asked = []
    monkeypatch.setattr("joblib.parallel_config", lambda kind, **named: asked.append(named) or nullcontext())
    loky = type("LokyBackend", (), {})()
    monkeypatch.setattr("joblib.parallel.get_active_backend", lambda: (loky, None))  # another test may have chosen one
    work = threading.Thread(target=run_parallel, args=([], 1))
    if in_main:
        run_parallel([], 1)
    else:
        work.start(), work.join()
    assert asked == [{"initializer": start_worker, "initargs": (os.getpid(), in_main, log.settings())}]


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


@pytest.mark.integration
def test_calls_that_are_not_waited_for_end_without_a_word(recwarn):
    """As after Ctrl-C; joblib advises the programmer then, whom a user is not."""
    results = run_parallel([delayed(rest)(seconds) for seconds in (0.0, 0.0, 30.0, 30.0)], 2)
    assert next(results) == 0
    results.close()
    assert [str(warning.message) for warning in recwarn] == []
