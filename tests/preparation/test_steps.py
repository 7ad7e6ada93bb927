"""One patient's steps with recorders in their place: what each is handed, and that no error or remark is lost."""

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from glioma_idh.errors import InputError
from glioma_idh.files import write_text
from glioma_idh.imaging.dicom.convert import Converted
from glioma_idh.imaging.dicom.headers import LeftOut
from glioma_idh.imaging.resampling import rigid_matrix
from glioma_idh.preparation import patient
from glioma_idh.preparation.context import Patient
from glioma_idh.preparation.patient import run_steps
from glioma_idh.preparation.patients import find_patients
from glioma_idh.preparation.settings import Settings
from glioma_idh.preparation.stages import read_record
from tests.preparation.placed import AFFINE, SHAPE, choice_of, place, stages_of


def wrong(what: str) -> InputError:
    return InputError(what, "wrong", "Look.")


def as_it_is(part):
    """What a step was handed, which later steps do not change any more."""
    if isinstance(part, Patient):
        return replace(part, images=dict(part.images), masks=dict(part.masks))
    return dict(part) if isinstance(part, dict) else part


@pytest.fixture
def steps(monkeypatch, tmp_path):
    """Every step a recorder: what it was handed by its name, and what it answers."""
    handed = {}
    choices = {role: choice_of(role, [tmp_path / f"{role}.nii"]) for role in ("t1gd", "t2", "dwi", "dsc")}
    choices["dwi"] = choice_of("dwi", [tmp_path / "dwi.nii"], b_values=(0.0, 1000.0))
    alignment = place(tmp_path, {"t1gd": (AFFINE, np.eye(4))})
    files = {name: tmp_path / "out" / f"{name}.nii.gz" for name in ("t1gd", "t2", "adc", "rcbv")}
    still = choices | {"dsc": choice_of("dsc", [tmp_path / "still.nii"])}
    structural = {role: files[role] for role in ("t1gd", "t2")}
    answers = {
        "find_series": (list(choices.values()), [wrong("series"), LeftOut("series 1", "why")]),
        "choose_series": (choices, [wrong("choice")]),
        "correct_series_motion": (still, [wrong("movement")]),
        "align": (alignment, [wrong("registration")]),
        "find_brain": tmp_path / "out" / "brain_mask.nii.gz",
        "make_images": (dict(structural), [wrong("image")]),
        "check_contrast": (None, [wrong("contrast")]),
        "make_adc_image": files["adc"],
        "find_lesion": tmp_path / "out" / "lesion_mask.nii.gz",
        "make_rcbv_image": files["rcbv"],
    }

    def recorder(name):
        def record(*arguments):
            handed[name] = tuple(as_it_is(part) for part in arguments)
            if name == "check_contrast":
                arguments[0].remarks.append("little contrast")
            if isinstance(answers[name], InputError):
                raise answers[name]
            if name in ("correct_series_motion", "align", "make_images", "check_contrast"):
                answer, errors = answers[name]
                arguments[-1].errors += errors
                return answer
            return answers[name]

        return record

    for name in answers:
        monkeypatch.setattr(patient, name, recorder(name))
    return handed, answers, choices, still, alignment, files


def prepared_by(folder, settings, finder=None) -> Patient:
    """A patient, its series in a folder, its results in `out` below."""
    made = Patient(settings, stages_of(folder), finder)
    run_steps(made, folder)
    return made


def test_each_step_is_handed_what_the_steps_before_it_made(steps, tmp_path):
    handed, _, choices, still, alignment, files = steps
    settings = Settings(series=("t2=5",))
    prepared = prepared_by(tmp_path, settings, "a finder")
    brain, lesion = (tmp_path / "out" / f"{name}_mask.nii.gz" for name in ("brain", "lesion"))
    structural = {role: files[role] for role in ("t1gd", "t2")}
    assert handed["find_series"][:2] == (tmp_path, tmp_path / "out" / "native")
    assert handed["choose_series"][1] == {"t2": "5"}
    assert handed["correct_series_motion"][0] == choices and handed["align"][0] == still
    after = {name: handed[name][0] for name in ("make_images", "check_contrast", "make_adc_image", "find_lesion")}
    after |= {"find_brain": handed["find_brain"][0], "make_rcbv_image": handed["make_rcbv_image"][0]}
    for seen in (handed["correct_series_motion"][1], handed["align"][1], *after.values()):
        assert seen.settings == settings and seen.finder == "a finder" and seen.folder == tmp_path / "out"
    assert all(seen.alignment is alignment for seen in after.values()) and after["find_brain"].brain is None
    assert all(seen.brain == brain for name, seen in after.items() if name != "find_brain")
    assert after["check_contrast"].images == structural
    assert {role: after["find_lesion"].images[role] for role in structural} == structural
    assert after["find_lesion"].lesion is None and after["make_rcbv_image"].lesion == lesion
    assert prepared.files == files | {"brain_mask": brain, "lesion_mask": lesion}


def test_no_error_and_no_remark_of_a_step_is_lost(steps, tmp_path):
    _, answers, *_ = steps
    answers["make_adc_image"], answers["find_lesion"] = wrong("adc"), wrong("lesion")
    prepared = prepared_by(tmp_path, Settings())
    expected = ["series", "choice", "movement", "registration", "image", "contrast", "adc", "lesion"]
    assert [error.expected for error in prepared.errors] == expected
    assert set(prepared.files) == {"t1gd", "t2", "rcbv", "brain_mask"}
    record = read_record(tmp_path / "out")
    assert "little contrast" in record["remarks"] and record["not_used"] == [{"what": "series 1", "why": "why"}]
    assert [problem["expected"] for problem in record["problems"]] == expected


def test_nothing_is_kept_of_a_patient_without_a_brain(steps, tmp_path):
    _, answers, *_ = steps
    answers["find_brain"] = wrong("brain")
    made = prepared_by(tmp_path, Settings())
    assert made.alignment is None and made.files == {} and made.errors[-1].expected == "brain"
    assert "transforms" not in read_record(tmp_path / "out")


def test_a_series_that_nothing_is_made_of_is_neither_held_still_nor_registered(steps, tmp_path):
    handed, *_ = steps
    prepared_by(tmp_path, Settings(skip=("rcbv", "adc")))
    assert handed["correct_series_motion"][0].keys() == {"t1gd", "t2"}


def test_a_long_series_that_may_be_perfusion_is_named_where_there_is_none(steps, tmp_path):
    _, answers, choices, *_ = steps
    long = replace(choices["t2"], number="9", num_volumes=60, files=(Path("9.nii"),))
    answers["find_series"] = ([long], [])
    for missing in (False, True):
        answers["choose_series"] = ({role: choices[role] for role in ("t1gd", "t2", "dsc")[: 3 - missing]}, [])
        prepared_by(tmp_path, Settings())
        remarks = read_record(tmp_path / "out")["remarks"]
        assert any("--series dsc=9" in remark for remark in remarks) == missing


def test_the_record_says_where_series_lie_and_names_no_folder(steps, tmp_path):
    """From the grid of the result to the series, as masks go back; paths of settings are names of files."""
    frame = rigid_matrix((0, 0, 90), (0, 0, 0), (0, 0, 0))
    moved = rigid_matrix((0, 0, 0), (4, 0, 0), (0, 0, 0))
    alignment = replace(place(tmp_path, {"t1gd": (AFFINE, np.eye(4)), "t2": (AFFINE, moved)}), frame=frame)
    settings = Settings(reference=str(tmp_path / "Meier" / "atlas.nii"), lesion_mask=tmp_path / "Meier" / "mask.nii")
    steps[1]["align"] = (alignment, [])
    prepared_by(tmp_path, settings)
    record = read_record(tmp_path / "out")
    assert np.array(record["transforms"]["t2"]) == pytest.approx(moved @ frame) != pytest.approx(frame @ moved)
    assert record["grid"] == {"shape": list(SHAPE), "affine": AFFINE.tolist()}
    made = ("t1gd", "t2", "adc", "rcbv", "brain_mask", "lesion_mask")
    assert record["files"] == {name: f"{name}.nii.gz" for name in made}
    assert record["settings"]["reference"] == "atlas.nii" and record["settings"]["lesion_mask"] == "mask.nii"
    assert "Meier" not in json.dumps(record) and str(tmp_path) not in json.dumps(record)


def test_patients_are_the_folders_that_are_neither_hidden_nor_the_results(tmp_path):
    for name in ("b", "a", ".hidden", "out"):
        (tmp_path / "cohort" / name).mkdir(parents=True)
    (tmp_path / "cohort" / "notes.txt").write_text("")
    found = find_patients(tmp_path / "cohort", tmp_path / "cohort" / "out", many=True)
    assert list(found) == ["a", "b"] and found["a"] == tmp_path / "cohort" / "a"
    assert find_patients(tmp_path / "cohort" / "a", tmp_path / "out", many=False) == {"a": tmp_path / "cohort" / "a"}
    inside = tmp_path / "cohort" / "a" / "deep"
    for source, out, many in ((tmp_path / "cohort", inside, True), (inside.parent, inside.parent, False)):
        with pytest.raises(InputError, match="--out outside of the patients' folders"):
            find_patients(source, out, many)
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match="expected one folder per patient; found no folders"):
        find_patients(tmp_path / "none", tmp_path / "out", many=True)


def test_dicom_files_are_converted_once_and_anew_when_one_of_them_changes(monkeypatch, tmp_path):
    """Nothing that was made of the former files stays, and what was left out or wrong is said each time."""
    source, native, left = tmp_path / "in", tmp_path / "out" / "native", []

    def convert(*_):
        left.append([path.name for path in native.glob("*")])
        write_text("", native / f"series_{len(left)}.nii")
        return [Converted("7", native / f"series_{len(left)}.nii")], [LeftOut("series 8", "a scout"), wrong("slices")]

    def converted() -> str:
        (image,), remarks = patient._convert_once(stages_of(tmp_path), source, native)
        assert list(map(str, remarks)) == ["series 8: a scout", str(wrong("slices"))] and image.number == "7"
        return image.file.name

    monkeypatch.setattr(patient, "convert_dicom", convert)
    write_text("a", source / "1.dcm")
    assert converted() == converted() == "series_1.nii"
    write_text("longer", source / "1.dcm")
    assert converted() == "series_2.nii"
    os.utime(source / "1.dcm", (0, 0))
    assert converted() == "series_3.nii"
    write_text("b", source / "2.dcm")
    assert converted() == "series_4.nii"
    write_text("no DICOM", source / "t1.nii")
    assert converted() == "series_4.nii" and left == [[], [], [], []]
