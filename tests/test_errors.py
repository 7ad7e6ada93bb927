"""How a command ends."""

import os
import subprocess
import sys

import pytest

from glioma_idh.errors import InputError, ending_plainly


def test_wrong_input_is_one_line_and_status_1(capsys):
    with pytest.raises(SystemExit) as ended, ending_plainly():
        raise InputError("a number", "a word", "Type a number.", "sheet.csv", "p1")
    assert ended.value.code == "Error: p1: sheet.csv: expected a number; found a word. Type a number."


def test_a_broken_pipe_between_processes_is_a_fault_and_not_an_end():
    with pytest.raises(BrokenPipeError), ending_plainly():
        raise BrokenPipeError


@pytest.mark.integration
@pytest.mark.skipif(sys.platform == "win32", reason="a pipe that nobody reads is told by a signal")
@pytest.mark.parametrize(("num_lines", "unbuffered"), [(1, ""), (100_000, ""), (1, "1")])
def test_a_command_whose_output_nobody_reads_on_ends_without_a_word(num_lines, unbuffered):
    """As before `| head`: few lines wait in a buffer until the end, many do not."""
    code = f"""
import sys
from glioma_idh.errors import ending_plainly

sys.stdin.read()
with ending_plainly():
    for _ in range({num_lines}):
        print("a line")
"""
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    command = subprocess.Popen([sys.executable, "-c", code], env=os.environ | {"PYTHONUNBUFFERED": unbuffered}, **pipes)
    command.stdout.close()
    _, said = command.communicate()
    assert (command.returncode, said) == (141, b"")
