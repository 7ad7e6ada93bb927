"""Progress where there is no terminal: lines at growing intervals, whole, and none where it is quiet."""

import io
import re
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import pytest

from glioma_idh import log as log_module
from glioma_idh import progress as module
from glioma_idh.progress import Lines, in_words, interval_s, leave, progress, step
from tests.conftest import write_cohort


class Log(io.StringIO):
    """Standard error that is a file, and keeps each write by itself."""

    def __init__(self):
        super().__init__()
        self.writes = []

    def write(self, text):
        self.writes.append(text)
        return super().write(text)


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Clock:
    """A clock that is set by hand."""

    def __init__(self, monkeypatch):
        self.now = 1000.0
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: self.now))


@pytest.fixture
def log(monkeypatch):
    """Standard error that is no terminal, as the modules see it: pytest puts its own in the place of `sys.stderr`."""
    stream = SimpleNamespace(stderr=Log())
    for seen_by in (module, log_module):
        monkeypatch.setattr(seen_by, "sys", stream)
    return stream.stderr


def pass_time(shown, seconds):
    """Let time pass; the line that would then be written."""
    shown.clock.now += seconds
    return shown._line(shown.clock.now)


@pytest.fixture
def shown(log, monkeypatch):
    """Lines of 100 epochs, 20 of them done in an earlier start."""
    clock = Clock(monkeypatch)
    lines = progress(total=100, what="split 2/5", unit="epoch", initial=20, leave=True)
    lines.clock = clock
    yield lines
    lines.close()


def test_a_line_says_how_far_it_is_and_how_long_it_will_take(shown):
    assert pass_time(shown, 10) == "split 2/5: 20 of 100 epochs; 10 s so far"
    shown.set_postfix({"loss": "0.412", "accuracy": "0.870"}, refresh=False)
    shown.update(10)  # 10 epochs in 10 s; 70 are left
    assert (
        pass_time(shown, 0) == "split 2/5: 30 of 100 epochs, loss 0.412, accuracy 0.870; 10 s so far, about 70 s left"
    )
    assert pass_time(shown, 5).endswith("15 s so far, about 65 s left")  # within an epoch time goes on
    assert pass_time(shown, 500).endswith("about 0 s left")
    shown.update(0)
    assert pass_time(shown, 0).endswith("about 0 s left")


def test_the_last_line(shown, log):
    shown.update(80)
    shown.clock.now += 1500
    leave(shown)
    leave(shown)
    assert log.writes == ["split 2/5: 100 of 100 epochs; done in 25 min\n"]


def test_what_was_not_finished_is_not_called_done(shown, log):
    shown.update(79)
    shown.close()
    assert log.writes == []


@pytest.mark.parametrize(
    ("elapsed_s", "interval"), [(10, 30), (100, 30), (150, 30), (200, 40), (1200, 240), (1500, 300), (1e6, 300)]
)
def test_lines_grow_rarer(elapsed_s, interval):
    assert interval_s(elapsed_s) == pytest.approx(interval)


def test_times_in_words():
    assert [in_words(seconds) for seconds in (0.4, 89, 90, 5399, 5400, 90000)] == [
        *("0 s", "89 s", "2 min", "90 min", "1.5 h", "25.0 h")
    ]


@pytest.fixture
def quick(log, monkeypatch):
    """As in a log, with lines after 0.05 s and then every 0.1 s."""
    for name, seconds in {"FIRST_S": 0.05, "SHORTEST_S": 0.1, "LONGEST_S": 0.1}.items():
        monkeypatch.setattr(module, name, seconds)
    return log


def test_lines_come_while_nothing_moves_and_end_with_the_step(quick):
    for _ in progress(["a"], total=1, what="preparing", unit="patient"):
        time.sleep(0.3)
    written = list(quick.writes)
    assert 2 <= len(written) <= 4
    assert re.fullmatch(r"preparing: 0 of 1 patient; 0 s so far\n", written[0])
    assert written[-1] == "preparing: 1 of 1 patient; done in 0 s\n"
    time.sleep(0.2)
    assert quick.writes == written


def test_an_error_ends_the_lines(quick):
    def fail():
        for item in progress([1, 2], total=2, what="preparing"):
            raise ValueError(item)

    with pytest.raises(ValueError, match="1"):
        fail()
    before = len(quick.writes)
    time.sleep(0.2)
    assert len(quick.writes) == before and not any("done" in line for line in quick.writes)


def test_each_line_is_one_write_and_is_flushed(quick, monkeypatch):
    flushed = []
    monkeypatch.setattr(quick, "flush", lambda: flushed.append(len(quick.writes)))
    with step("drawing the report"):
        time.sleep(0.2)
    assert quick.writes[0] == "drawing the report; 0 s so far\n" and flushed == list(range(1, len(quick.writes) + 1))
    assert quick.writes[-1] == "drawing the report; done in 0 s\n"


def test_a_step_that_is_short_needs_no_line(log):
    assert list(progress("abc", total=3, what="reading")) == ["a", "b", "c"]
    with step("drawing"):
        pass
    assert log.writes == []


def test_quiet_and_a_terminal_have_no_lines(quick, monkeypatch):
    monkeypatch.setattr(sys, "stderr", sys.stderr)  # put back at the end
    for items in (progress("ab", total=2, what="reading", quiet=True), step("drawing", quiet=True)):
        assert not isinstance(items, Lines)
    with step("drawing", quiet=True):
        time.sleep(0.1)
    assert list(progress("ab", total=2, what="reading", quiet=True)) == ["a", "b"] and quick.writes == []
    terminal = module.sys.stderr = sys.stderr = Terminal()
    assert list(progress("ab", total=2, what="reading")) == ["a", "b"]
    assert "reading: 100%" in terminal.getvalue() and "\n" not in terminal.getvalue().rstrip("\n")
    bar = progress(total=2, what="split", unit="epoch", leave=True)
    leave(bar)
    assert bar.disable


def test_where_nobody_listens_any_more_the_step_goes_on(quick, monkeypatch):
    shown = progress("ab", total=2, what="reading")
    quick.close()
    time.sleep(0.2)
    assert list(shown) == ["a", "b"] and threading.active_count() < 20


def test_bytes_are_counted_in_larger_units(log):
    with progress(total=400e6, what="variants", unit="B", unit_scale=True) as shown:
        shown.update(120e6)
        assert shown._state() == "variants: 120 of 400 MB"


EARLY = """
import runpy, sys
from glioma_idh import progress
from glioma_idh.training import pipeline
progress.FIRST_S = progress.SHORTEST_S = 0.2
pipeline.finish_run, pipeline.compare_runs = (lambda *_, **__: {},) * 2  # they take seconds
sys.argv[0] = "train"
runpy.run_module("glioma_idh.gbm2d.train", run_name="__main__")
"""


def train(folder, *options):
    """Two splits of a small cohort, through the command; what it writes to standard output and error, a file."""
    options = ["--sequence", "T2", "--splits", "kfold", "--num-splits", "2", "--epochs", "30", *options]
    command = [sys.executable, "-c", EARLY, *options, "--cohort", str(folder / "cohort.csv")]
    with open(folder / "errors.txt", "w") as file:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=file, text=True, check=True, cwd=folder)
    return done.stdout, (folder / "errors.txt").read_text().splitlines()


@pytest.mark.integration
@pytest.mark.parametrize("jobs", ["1", pytest.param("2", marks=pytest.mark.slow)])
def test_a_training_into_a_file_writes_lines_with_split_epoch_loss_and_time(tmp_path, jobs):
    write_cohort(tmp_path)
    printed, lines = train(tmp_path, "--jobs", jobs, "--run-dir", "run")
    lines = [line for line in lines if line.startswith("T2, split")]
    state = r"T2, split [12]/2: \d+ of 30 epochs(, loss \d+\.\d{3}, accuracy \d\.\d{3})?; "
    took = r"\d+ (s|min)"
    ways = rf"{state}(done in {took}|{took} so far(, about {took} left)?)"
    assert [line for line in lines if not re.fullmatch(ways, line)] == []
    for split in (1, 2):
        (end,) = [line for line in lines if line.startswith(f"T2, split {split}/2") and "done in" in line]
        assert "30 of 30 epochs, loss " in end
    assert jobs == "2" or any("left" in line for line in lines)  # of workers the first is due after 10 s
    assert "T2: split 1 trained (1 of 2)" in printed and "epochs" not in printed


@pytest.mark.integration
def test_a_quiet_training_writes_no_lines(tmp_path):
    write_cohort(tmp_path)
    printed, lines = train(tmp_path, "--jobs", "1", "--run-dir", "run", "--quiet")
    assert not [line for line in lines if "split" in line or "so far" in line or "done in" in line]
    assert (tmp_path / "run/split_2/predictions.csv").exists() and "split 1 trained" not in printed
