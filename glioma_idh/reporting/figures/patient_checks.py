"""The pictures by which a prepared patient is checked: where each sequence lies, movement in a series, the bolus."""

import numpy as np

from glioma_idh.cohorts.table import SEQUENCES
from glioma_idh.imaging.masks import read_mask
from glioma_idh.imaging.resampling import resample
from glioma_idh.imaging.volumes import read_volume
from glioma_idh.preparation.context import Patient
from glioma_idh.preparation.movement import LEAST_MM
from glioma_idh.reporting.figures.canvas import save_png
from glioma_idh.reporting.figures.movement_check import movement_check
from glioma_idh.reporting.figures.perfusion_curves import perfusion_curves
from glioma_idh.reporting.figures.registration_check import Registered, registration_check

MADE_OF = {"dwi": "adc", "dsc": "rcbv"}
"""What is made of a series."""
MASKS = ("brain", "lesion")


def draw_checks(subject: str, patient: Patient, synthetic: bool) -> None:
    """Draw `qc.png`, for series of volumes `qc_movement.png` and for DSC `qc_dsc.png`, unless they are there already.

    Args:
        subject: the patient's id.
        patient: what became of it.
        synthetic: whether it is a phantom; the pictures then say so.
    """
    files, stages, alignment = patient.files, patient.stages, patient.alignment
    problems = {MADE_OF.get(role, role): text for role, text in stages.problems("registration").items()}
    problems = {column: text for column, text in problems.items() if column in files}
    measures = {MADE_OF.get(role, role): found for role, found in stages.found("registration").items()}
    measures |= {alignment.anchor: {}} if measures else {}
    movement = {role.upper(): found["displacement_mm"] for role, found in stages.found("movement").items()}
    perfusion = stages.record.stages.get("rcbv")

    def draw_registration():
        shown = {name: read_volume(files[name]) for name in SEQUENCES if name in files}
        masks = {name: read_mask(files[f"{name}_mask"]).array for name in MASKS if f"{name}_mask" in files}
        reference = shown.get(alignment.anchor) or next(iter(shown.values()))
        rows = {name: Registered(shown[name], measures.get(name), problems.get(name, "")) for name in shown}
        acquired = read_volume(alignment.choices[alignment.anchor].files[0])  # with its skull
        head = resample(acquired, reference, alignment.to_series(alignment.anchor))
        figure = registration_check(reference, rows, masks, subject=subject, head=head, synthetic=synthetic)
        save_png(figure, stages.folder / "qc.png")

    def draw_movement():
        figure = movement_check(movement, LEAST_MM, subject=subject, synthetic=synthetic)
        save_png(figure, stages.folder / "qc_movement.png")

    def draw_perfusion():
        figure = perfusion_curves(**_curves(perfusion.found), subject=subject, synthetic=synthetic)
        save_png(figure, stages.folder / "qc_dsc.png")

    if any(sequence in files for sequence in SEQUENCES):
        shown = {"files": files, "subject": subject, "problems": problems, "measures": measures}
        stages.make("picture registration", draw_registration, shown, [stages.folder / "qc.png"])
    if movement:
        shown = {"movement": movement, "subject": subject}
        stages.make("picture movement", draw_movement, shown, [stages.folder / "qc_movement.png"])
    if perfusion:
        shown = {"curves": perfusion.found, "subject": subject}
        stages.make("picture perfusion", draw_perfusion, shown, [stages.folder / "qc_dsc.png"])


def _curves(perfusion: dict) -> dict:
    """The mean curves of a patient, as its figure takes them."""
    time_s, names = np.array(perfusion["time_s"]), {"white": "Normal white matter", "lesion": "Lesion"}
    panels = {}
    for region, name in names.items():
        kinds = {"as measured": region, "leakage corrected": f"{region}, corrected"}
        panels[name] = {
            kind: np.array(perfusion["curves"][key]) for kind, key in kinds.items() if key in perfusion["curves"]
        }
    windows = {name: tuple(time_s[[start, stop - 1]]) for name, (start, stop) in perfusion["windows"].items()}
    named = {name: curves for name, curves in panels.items() if curves}
    return {"time_s": time_s, "panels": named, "windows": windows, "y_name": "Change of R2* (1/s)"}
