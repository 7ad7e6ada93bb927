"""The pictures of a prepared patient: each fault stands beside the sequence that it is a fault of."""

from types import SimpleNamespace

import numpy as np
import pytest

from glioma_idh.imaging.volumes import write_volume
from glioma_idh.preparation.stages import Stages
from glioma_idh.reporting.figures import patient_checks


def aligned(place) -> SimpleNamespace:
    """T1Gd is the reference; as acquired it holds 50, and lies a voxel to the right of where it lies in the result."""
    acquired = np.full((8, 8, 8), 50.0, np.float32)
    write_volume(place / "acquired.nii.gz", acquired, np.eye(4))
    choices, way = {"t1gd": SimpleNamespace(files=(place / "acquired.nii.gz",))}, np.eye(4)
    way[0, 3] = -1
    return SimpleNamespace(anchor="t1gd", choices=choices, to_series=lambda role: way)


@pytest.fixture
def prepared(tmp_path):
    """A patient with T1Gd and ADC; the registration of DWI and T2 looked wrong, and the T2 was left out."""
    files = {name: tmp_path / f"{name}.nii.gz" for name in ("t1gd", "adc")}
    for file in files.values():
        write_volume(file, np.ones((8, 8, 8), np.float32), np.eye(4))
    stages = Stages(tmp_path)
    for role in ("dwi", "t2", "grid"):
        stages.make(f"registration {role}", lambda role=role: {"problems": [f"{role} looks wrong"]}, {})
    stages.make("head-motion dwi", lambda: {"displacement_mm": [0.0, 1.5]}, {})
    return SimpleNamespace(files=files, stages=stages, alignment=aligned(tmp_path))


def test_faults_of_a_series_stand_beside_what_is_made_of_it(prepared, monkeypatch):
    drawn = []
    monkeypatch.setattr(patient_checks, "registration_check", lambda _, rows, *__, **___: drawn.append(rows))
    monkeypatch.setattr(patient_checks, "save_png", lambda figure, path: path.touch())
    patient_checks.draw_checks("p1", prepared, synthetic=False)
    t1gd, adc = drawn[0]["t1gd"], drawn[0]["adc"]
    assert (t1gd.problem, adc.problem) == ("", "dwi looks wrong")
    assert (t1gd.measures, adc.measures) == ({}, {"problems": ["dwi looks wrong"]})


def test_a_picture_for_head_motion_only_where_there_is_a_series(prepared, tmp_path, monkeypatch):
    monkeypatch.setattr(patient_checks, "save_png", lambda figure, path: path.touch())
    patient_checks.draw_checks("p1", prepared, synthetic=False)
    assert {path.name for path in tmp_path.glob("*.png")} == {"qc.png", "qc_head_motion.png"}


TIME_S = [0.0, 1.5, 3.0, 4.5, 6.0]
CURVES = {"white": [1, 2, 3, 4, 5], "white, corrected": [2, 3, 4, 5, 6], "lesion": [7, 8, 9, 8, 7]}


@pytest.fixture
def whole(tmp_path):
    """A patient with everything; each volume holds one number of its own, masks a voxel."""
    files = {}
    for n, name in enumerate(("t1", "t1gd", "t2", "adc", "brain_mask", "lesion_mask")):
        array = np.full((4, 4, 4), 10.0 + n, np.float32) * (n < 4)
        if n >= 4:
            array[n - 4] = 1  # of the brain the first layer, of the lesion the second
        files[name] = tmp_path / f"{name}.nii.gz"
        write_volume(files[name], array, np.eye(4))
    stages = Stages(tmp_path)
    for role, moved in (("dwi", [0.0, 1.5]), ("dsc", [0.0, 0.1, 0.2])):
        stages.make(f"head-motion {role}", lambda moved=moved: {"displacement_mm": moved}, {})
    windows = {"Baseline": [0, 2], "First pass": [2, 5]}  # stop is outside
    stages.make("rcbv", lambda: {"time_s": TIME_S, "curves": CURVES, "windows": windows}, {})
    return SimpleNamespace(files=files, stages=stages, alignment=aligned(tmp_path))


@pytest.fixture
def drawn(monkeypatch):
    """What each picture was given, by the name of its function; nothing is drawn."""
    given = {}

    def keep(name):
        def draw(*arguments, **named):
            given[name] = (arguments, named)

        monkeypatch.setattr(patient_checks, name, draw)

    for name in ("registration_check", "head_motion_check", "perfusion_curves"):
        keep(name)
    monkeypatch.setattr(patient_checks, "save_png", lambda figure, path: path.touch())
    return given


@pytest.mark.parametrize("synthetic", [True, False])
def test_every_picture_is_given_this_patient_s_own_volumes_masks_and_curves(whole, drawn, synthetic):
    patient_checks.draw_checks("p7", whole, synthetic=synthetic)
    (reference, rows, masks), named = drawn["registration_check"]
    brain, lesion = masks["brain"] != 0, masks["lesion"] != 0
    head = named.pop("head")
    assert named == {"subject": "p7", "synthetic": synthetic}
    assert {(row.measures, row.problem) for row in rows.values()} == {(None, "")}
    assert head.array.shape == reference.array.shape and head.array[0].max() == 0 and (head.array[1:] == 50).all()
    assert reference.array.max() == 11  # T1Gd, to which the others were registered
    assert {name: row.volume.array.max() for name, row in rows.items()} == {"t1": 10, "t1gd": 11, "t2": 12, "adc": 13}
    assert brain[0].all() and brain.sum() == 16 and lesion[1].all() and lesion.sum() == 16
    (moved, limit_mm), named = drawn["head_motion_check"]
    assert moved == {"DWI": [0.0, 1.5], "DSC": [0.0, 0.1, 0.2]} and limit_mm == 0.5
    assert named == {"subject": "p7", "synthetic": synthetic}
    _, named = drawn["perfusion_curves"]
    assert named["time_s"].tolist() == TIME_S and (named["subject"], named["synthetic"]) == ("p7", synthetic)
    panels = {name: {kind: curve.tolist() for kind, curve in kinds.items()} for name, kinds in named["panels"].items()}
    assert panels == {
        "Normal white matter": {"as measured": [1, 2, 3, 4, 5], "leakage corrected": [2, 3, 4, 5, 6]},
        "Lesion": {"as measured": [7, 8, 9, 8, 7]},
    }
    assert named["windows"] == {"Baseline": (0.0, 1.5), "First pass": (3.0, 6.0)}
    assert named["y_name"] == "Change in R2* (1/s)"


def test_without_the_anchor_the_first_sequence_and_without_masks_none(whole, drawn):
    for name in ("t1gd", "brain_mask", "lesion_mask"):
        del whole.files[name]
    patient_checks.draw_checks("p7", whole, synthetic=False)
    (reference, rows, masks), _ = drawn["registration_check"]
    assert reference.array.max() == 10 and masks == {} and list(rows) == ["t1", "t2", "adc"]


def test_a_patient_of_masks_alone_has_no_picture(whole, drawn):
    whole.files = {"brain_mask": whole.files["brain_mask"]}
    whole.stages.record.stages = {}
    patient_checks.draw_checks("p7", whole, synthetic=False)
    assert drawn == {}
