"""The pictures of a prepared patient: each fault stands beside the sequence that it is a fault of."""

from types import SimpleNamespace

import numpy as np
import pytest

from glioma_idh.imaging.volumes import write_volume
from glioma_idh.preparation.stages import Stages
from glioma_idh.reporting import patient_checks


@pytest.fixture
def prepared(tmp_path):
    """A patient with T1Gd and ADC; the registration of DWI and T2 looked wrong, and the T2 was left out."""
    files = {name: tmp_path / f"{name}.nii.gz" for name in ("t1gd", "adc")}
    for file in files.values():
        write_volume(file, np.ones((8, 8, 8), np.float32), np.eye(4))
    stages = Stages(tmp_path)
    for role in ("dwi", "t2", "grid"):
        stages.make(f"registration {role}", lambda role=role: {"problems": [f"{role} looks wrong"]}, {})
    stages.make("movement dwi", lambda: {"displacement_mm": [0.0, 1.5]}, {})
    return SimpleNamespace(files=files, stages=stages, alignment=SimpleNamespace(anchor="t1gd"))


def test_faults_of_a_series_stand_beside_what_is_made_of_it(prepared, monkeypatch):
    drawn = []
    monkeypatch.setattr(patient_checks, "registration_check", lambda *_, **named: drawn.append(named))
    monkeypatch.setattr(patient_checks, "save_png", lambda figure, path: path.touch())
    patient_checks.draw_checks("p1", prepared, synthetic=False)
    assert drawn[0]["problems"] == {"adc": "dwi looks wrong"}


def test_a_picture_for_movement_only_where_there_is_a_series(prepared, tmp_path):
    patient_checks.draw_checks("p1", prepared, synthetic=False)
    assert {path.name for path in tmp_path.glob("*.png")} == {"qc.png", "qc_movement.png"}
