"""What a prepared patient is said to be usable for, what is missing, and how to get it."""

import re
import sys
from pathlib import Path

import pytest

from glioma_idh import prepare
from glioma_idh.preparation.command import PreparedPatient, usable_for, usable_for_many
from glioma_idh.preparation.settings import Settings

FOUR = ("t1", "t1gd", "t2", "flair")


def files(*columns: str) -> dict[str, Path]:
    return {column: Path(f"{column}.nii.gz") for column in columns}


def test_a_patient_with_everything(tmp_path):
    (tmp_path / "qc.png").touch()
    assert usable_for(files(*FOUR, "adc", "brain_mask", "lesion_mask"), tmp_path, Settings()) == [
        "Slice CNN (gbm2d): can use T1, T1Gd, T2, FLAIR, ADC, with the lesion mask.",
        "SGPNet (sgp3d): prediction and training are possible.",
        f"Please check {tmp_path / 'qc.png'}",
    ]


def test_without_a_lesion_mask_it_says_how_to_get_one(tmp_path):
    slices, volumes = usable_for(files(*FOUR, "brain_mask"), tmp_path, Settings())
    assert slices.startswith("Slice CNN (gbm2d): needs a lesion mask, which is missing (T1, T1Gd, T2, FLAIR available)")
    assert "--lesion-mask FILE" in slices and "--lesion-run RUN_DIR" in slices
    assert volumes == "SGPNet (sgp3d): prediction is possible; training needs a lesion mask."


def test_a_run_finds_no_lesion_without_all_four_sequences(tmp_path):
    slices, volumes = usable_for(files("t1", "flair", "rcbv", "brain_mask"), tmp_path, Settings())
    assert "T1, FLAIR, rCBV available" in slices and "--lesion-mask" in slices and "--lesion-run" not in slices
    assert volumes.startswith("SGPNet (sgp3d): not possible;") and volumes.endswith("Missing: T1Gd, T2.")


@pytest.mark.parametrize(
    ("columns", "settings", "words"),
    [
        (("brain_mask",), Settings(), None),
        (("brain_mask",), Settings(keep_skull=True), "SGPNet needs --with-skull"),
        ((), Settings(skip=("brain",)), "There is no brain mask: .*--with-skull"),
    ],
)
def test_a_skull_that_may_be_there_is_said(columns, settings, words, tmp_path):
    lines = usable_for(files(*FOUR, "lesion_mask", *columns), tmp_path, settings)[2:]
    assert not lines if words is None else len(lines) == 1
    assert words is None or re.search(words, lines[0])


def test_many_are_counted(tmp_path):
    (tmp_path / "p1").mkdir()
    (tmp_path / "p1" / "qc.png").touch()
    every = [files(*FOUR, "lesion_mask"), files(*FOUR), files("t1", "t1gd", "lesion_mask"), files()]
    slices, volumes, look = usable_for_many(every, tmp_path)
    assert slices.startswith("Slice CNN (gbm2d): 2 of 4 patients have a lesion mask (T1 3, T1Gd 3, T2 2, FLAIR 2 ")
    assert "--lesion-run RUN_DIR" in slices
    assert volumes == "SGPNet (sgp3d): 2 of 4 patients have T1, T1Gd, T2 and FLAIR; 1 can be used for training."
    assert look == f"Please check {tmp_path / '*' / 'qc.png'}"
    assert "--lesion" not in usable_for_many(every[::2], tmp_path)[0]


def test_of_nothing_nothing_is_said(tmp_path):
    assert usable_for(files("brain_mask"), tmp_path, Settings()) == [] == usable_for_many([files()], tmp_path)


@pytest.mark.parametrize(("options", "expected"), [((), "T1Gd, with"), (("--many",), "1 of 1 patients have a")])
def test_the_command_ends_with_it(options, expected, monkeypatch, capsys, tmp_path):
    (tmp_path / "p1").mkdir()
    (tmp_path / "p1" / "qc.png").touch()
    outcomes = [PreparedPatient("p1", tmp_path, files("t1gd", "lesion_mask"), [], [], [])]
    monkeypatch.setattr(prepare, "run", lambda job, settings: outcomes)
    monkeypatch.setattr(sys, "argv", ["prepare", "source", "--out", str(tmp_path), *options])
    prepare.main()
    _, slices, _, *_, look = capsys.readouterr().out.splitlines()
    assert expected in slices and look == f"Please check {tmp_path / ('*' if options else 'p1') / 'qc.png'}"
