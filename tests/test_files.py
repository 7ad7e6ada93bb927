"""Files appear whole or not at all, and errors say everything on one line."""

import errno
import json
import os
import pickle

import numpy as np
import pandas as pd
import pytest

from glioma_idh.errors import InputError
from glioma_idh.files import write_json, write_table, write_text, written_whole


def test_the_former_file_stands_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "folder" / "made" / "a.txt"
    write_text("former", path)
    with written_whole(path) as part:
        part.write_text("half")
        assert path.read_text() == "former" and part != path and part.parent == path.parent
        assert f"-{os.getpid()}-" in part.name and part.name.endswith("a.txt")  # no other process writes to it
        part.write_text("new")
    assert path.read_text() == "new" and os.listdir(path.parent) == ["a.txt"]


@pytest.mark.parametrize("error", [ValueError("a bug"), KeyboardInterrupt(), SystemExit(1)])
def test_whatever_stops_a_write_passes_and_leaves_the_former_file(tmp_path, error):
    path = tmp_path / "a.txt"
    path.write_text("former")
    with pytest.raises(type(error)), written_whole(path) as part:
        part.write_text("half")
        raise error
    assert path.read_text() == "former" and os.listdir(tmp_path) == ["a.txt"]


def test_a_write_that_never_began_leaves_the_former_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("former")
    with pytest.raises(InputError, match="a.txt: expected to write this file; found No such file"), written_whole(path):
        pass
    assert path.read_text() == "former"


def test_a_full_disk_is_said_with_what_to_do(tmp_path):
    with pytest.raises(InputError) as caught, written_whole(tmp_path / "a.txt"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert caught.value.file == str(tmp_path / "a.txt") and "--run-dir" in caught.value.advice
    assert isinstance(caught.value.__cause__, OSError) and os.listdir(tmp_path) == []


def test_tables_are_written_without_index_and_with_unix_line_ends(tmp_path):
    table = pd.DataFrame({"subject": ["007", "b"], "score": np.array([1 / 3, np.nan], np.float32)}, index=[5, 9])
    write_table(table, tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_bytes() == b"subject,score\n007,0.333333343\nb,\n"


def test_json_has_null_for_what_is_no_number_and_text_for_paths(tmp_path):
    write_json({"b": float("nan"), "a": [1.5, float("inf"), tmp_path], "e": "é"}, tmp_path / "a.json")
    text = (tmp_path / "a.json").read_text()
    assert json.loads(text) == {"b": None, "a": [1.5, None, str(tmp_path)], "e": "é"}
    assert text.startswith('{\n  "b": null') and text.endswith("}\n")


def test_text_is_utf_8(tmp_path):
    write_text("µ\n", tmp_path / "a.txt")
    assert (tmp_path / "a.txt").read_bytes() == "µ\n".encode()


def test_an_error_names_everything_on_one_line():
    error = InputError("a mask", "none of\n  three", "Draw one.", "scans/a.nii", "s1")
    assert str(error) == "s1: scans/a.nii: expected a mask; found none of three. Draw one."
    assert str(InputError("a mask", "none", "Draw one.", "a.csv")) == "a.csv: expected a mask; found none. Draw one."
    assert str(InputError("a mask", "none", "Draw one.")) == "expected a mask; found none. Draw one."


def test_the_same_error_of_a_subject():
    error = InputError("a mask", "none", "Draw one.", "a.nii").of_subject("s2")
    parts = error.expected, error.found, error.advice, error.file, error.subject
    assert parts == ("a mask", "none", "Draw one.", "a.nii", "s2") and isinstance(error, ValueError)


def test_an_error_comes_back_from_another_process_as_it_was():
    error = InputError("a mask", "none", "Draw one.", "a.nii", "s1")
    assert vars(pickle.loads(pickle.dumps(error))) == vars(error) and str(pickle.loads(pickle.dumps(error))) == str(
        error
    )
