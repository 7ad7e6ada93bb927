"""Log lines: one line on standard error in a command; elsewhere as the user sets up `logging`."""

import ast
import io
import logging
import subprocess
import sys
from pathlib import Path

import joblib
import pytest

import glioma_idh
from glioma_idh import log
from glioma_idh.parallel import run_parallel
from glioma_idh.progress import progress
from glioma_idh.record import recorded

PACKAGE = Path(glioma_idh.__file__).parent
LIBRARY = """
import logging
{setting}
from glioma_idh.cohorts.scans import print_found
from glioma_idh.progress import Lines
print_found({{"a": "turned."}}, 2, "look odd")
Lines(None, None, "reading", always=True).close()
"""
REMARK = "1 of 2 subjects look odd (a). a: turned.\n"


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def as_library():
    """The package's log as it is before anybody sets it; what a test has set is put back."""
    former = log.LOGGER.handlers, log.LOGGER.level, log.LOGGER.propagate
    log.LOGGER.handlers, log.LOGGER.propagate = [], True
    log.LOGGER.setLevel(logging.NOTSET)
    yield log.LOGGER
    log.LOGGER.handlers, log.LOGGER.propagate = former[0], former[2]
    log.LOGGER.setLevel(former[1])


@pytest.mark.integration
@pytest.mark.parametrize(
    ("setting", "lines"),
    [
        ("", REMARK),  # Python shows warnings that no handler takes
        ('logging.basicConfig(level=logging.INFO, format="%(message)s")', f"{REMARK}reading; done in 0 s\n"),
        ('logging.getLogger("glioma_idh").setLevel(logging.ERROR)', ""),
    ],
)
def test_in_library_use_the_user_decides_what_is_written(setting, lines):
    command = [sys.executable, "-c", LIBRARY.format(setting=setting)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", lines)


def test_in_a_command_a_message_is_one_line_on_standard_error(as_library, tmp_path, capsys):
    with recorded("glioma_idh.x", folder=tmp_path / "nowhere"):
        logging.getLogger("glioma_idh.cohorts.x").warning("100 % of the masks are empty.")
        with log.shown():
            logging.getLogger("glioma_idh.x").info("reading")
        logging.getLogger("glioma_idh.x").debug("for developers")
    assert capsys.readouterr() == ("", "100 % of the masks are empty.\nreading\n")
    assert (as_library.handlers, as_library.level, as_library.propagate) == ([], logging.NOTSET, True)


def test_a_command_is_not_stopped_by_a_stream_that_is_closed(monkeypatch):
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    with log.shown():
        logging.getLogger("glioma_idh.x").warning("nobody reads this")


def test_a_message_does_not_run_into_a_progress_bar(monkeypatch):
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with progress(total=2, what="reading") as bar, log.shown():
        logging.getLogger("glioma_idh.x").warning("a remark")
        bar.update()
    before, _, after = terminal.getvalue().partition("a remark\n")
    assert before.endswith(" \r") and "reading:  50%" in after  # the bar is wiped, and drawn again below


@pytest.mark.parametrize(("level", "drawn"), [(logging.NOTSET, True), (logging.INFO, True), (logging.WARNING, False)])
def test_a_silenced_log_draws_no_bar_either(as_library, monkeypatch, level, drawn):
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    as_library.setLevel(level)
    assert list(progress("ab", total=2, what="reading")) == ["a", "b"]
    assert bool(terminal.getvalue()) == drawn


def in_worker():
    logger = logging.getLogger("glioma_idh.x")
    return logger.isEnabledFor(logging.INFO), [type(handler).__name__ for handler in log.LOGGER.handlers]


@pytest.mark.integration
def test_workers_log_as_their_parent_does(as_library):
    def worker():
        return next(iter(run_parallel([joblib.delayed(in_worker)() for _ in range(2)], 2)))

    with log.shown():
        assert worker() == (True, ["StandardError"])
    as_library.setLevel(logging.ERROR)
    assert worker()[0] is False


def test_only_the_end_of_a_command_and_the_room_below_bars_are_printed_to_standard_error():
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and any(key.arg == "file" for key in node.keywords):
                called = ast.unparse(node)
                found |= {path.name} if called.startswith("print(") and "stderr" in called else set()
    assert found == {"cli.py", "errors.py", "splits.py"}  # the first: a word that is no command


def test_every_module_logs_under_the_name_of_the_package():
    """A module that `python -m` runs is called `__main__`, so it names its logger by itself."""
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if path.name == "__main__.py" or 'if __name__ == "__main__"' in text:
            assert "getLogger(__name__)" not in text, path
