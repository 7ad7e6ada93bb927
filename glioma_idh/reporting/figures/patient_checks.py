"""Pictures for checking a prepared patient: registration, head motion within a series, and the bolus."""

from itertools import cycle

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from glioma_idh.cohorts.table import SEQUENCES
from glioma_idh.imaging.masks import read_mask
from glioma_idh.imaging.resampling import resample
from glioma_idh.imaging.volumes import read_volume
from glioma_idh.preparation.context import Patient
from glioma_idh.preparation.head_motion import LEAST_MM
from glioma_idh.reporting.figures import canvas
from glioma_idh.reporting.figures.canvas import BLUE, GREY, SMALL, VERMILLION, dress, legend_entry, new_figure, save_png
from glioma_idh.reporting.figures.registration_check import Registered, registration_check

MADE_OF = {"dwi": "adc", "dsc": "rcbv"}  # map computed from a series
MASKS = ("brain", "lesion")
REGIONS = {"white": "Normal white matter", "lesion": "Lesion"}
COLOURS = (VERMILLION, BLUE, canvas.GREEN, canvas.PURPLE, canvas.ORANGE, "black")
DASHES = ("-", "--", ":", "-.")
SHADES = ("#E3E3E3", "#F7E3C8", "#D8EBF7", "#DDF0E4")


def draw_checks(subject: str, patient: Patient, synthetic: bool) -> None:
    """Draw `qc.png`, `qc_head_motion.png` (DWI, DSC) and `qc_dsc.png` for a patient, unless they are up to date.

    Args:
        subject: id of the patient, for the titles.
        patient: the prepared patient.
        synthetic: whether the images are synthetic.
    """
    files, stages, alignment = patient.files, patient.stages, patient.alignment
    problems = {MADE_OF.get(role, role): text for role, text in stages.problems("registration").items()}
    problems = {column: text for column, text in problems.items() if column in files}
    measures = {MADE_OF.get(role, role): found for role, found in stages.found("registration").items()}
    measures |= {alignment.anchor: {}} if measures else {}
    head_motion = {role.upper(): found["displacement_mm"] for role, found in stages.found("head-motion").items()}
    perfusion, words = stages.record.stages.get("rcbv"), {"subject": subject, "synthetic": synthetic}

    def draw_registration() -> Figure:
        shown = {name: read_volume(files[name]) for name in SEQUENCES if name in files}
        masks = {name: read_mask(files[f"{name}_mask"]).array for name in MASKS if f"{name}_mask" in files}
        reference = shown.get(alignment.anchor) or next(iter(shown.values()))
        rows = {name: Registered(shown[name], measures.get(name), problems.get(name, "")) for name in shown}
        acquired = read_volume(alignment.choices[alignment.anchor].files[0])  # with its skull
        head = resample(acquired, reference, alignment.to_series(alignment.anchor))
        return registration_check(reference, rows, masks, head=head, **words)

    def draw_perfusion() -> Figure:
        time_s, curves, panels = np.array(perfusion.found["time_s"]), perfusion.found["curves"], {}
        for region, name in REGIONS.items():
            kinds = {"as measured": region, "leakage corrected": f"{region}, corrected"}
            panels[name] = {kind: np.array(curves[key]) for kind, key in kinds.items() if key in curves}
        panels = {name: of_region for name, of_region in panels.items() if of_region}
        windows = {name: tuple(time_s[[i, j - 1]]) for name, (i, j) in perfusion.found["windows"].items()}
        curves = {"time_s": time_s, "panels": panels, "windows": windows, "y_name": "Change in R2* (1/s)"}
        return perfusion_curves(**curves, **words)

    def make(name: str, draw, file: str, shown: dict) -> None:
        path = stages.folder / file
        stages.make(f"picture {name}", lambda: save_png(draw(), path), shown | {"subject": subject}, [path])

    if any(sequence in files for sequence in SEQUENCES):
        shown = {"files": files, "problems": problems, "measures": measures}
        make("registration", draw_registration, "qc.png", shown)
    if head_motion:
        shown = {"head motion": head_motion}
        make("head motion", lambda: head_motion_check(head_motion, LEAST_MM, **words), "qc_head_motion.png", shown)
    if perfusion:
        make("perfusion", draw_perfusion, "qc_dsc.png", {"curves": perfusion.found})


def head_motion_check(
    displacements_mm: dict[str, np.ndarray], limit_mm: float, *, subject: str, synthetic: bool = False
) -> Figure:
    """Plot the displacement of the head relative to a reference volume, one panel per series.

    Args:
        displacements_mm: by series, one displacement per volume, shape (t,).
        limit_mm: a series with a displacement from this limit on was corrected for head motion.
        subject: id of the patient, for the title.
        synthetic: whether the images are synthetic.
    """
    note = (
        "Root mean square displacement of a ball of 80 mm radius relative to a reference volume. A series is corrected "
        f"if the displacement reaches {limit_mm:g} mm in any volume."
    )
    title = f"{subject}: head motion within a series"
    figure = new_figure(len(displacements_mm) * 3.6, 2.6, synthetic, note, title)
    top_mm = 1.1 * max(1.0, *map(max, displacements_mm.values()))
    panels = figure.subplots(1, len(displacements_mm), squeeze=False).flat
    for n, (axes, (name, moved_mm)) in enumerate(zip(panels, displacements_mm.items(), strict=True)):
        corrected = max(moved_mm) >= limit_mm
        dress(
            axes, f"{name}, {'corrected' if corrected else 'not corrected'}", "Volume", "" if n else "Displacement (mm)"
        )
        volumes = np.arange(1, len(moved_mm) + 1)
        axes.plot(volumes, moved_mm, color=VERMILLION if corrected else BLUE, marker=".", markersize=4, linewidth=1)
        axes.axhline(limit_mm, color=GREY, linewidth=0.8, linestyle="--")
        axes.annotate(f"{limit_mm:g} mm", (1, limit_mm), (0, 2), textcoords="offset points", fontsize=SMALL, color=GREY)
        axes.set_ylim(0, top_mm)
        axes.xaxis.get_major_locator().set_params(integer=True)
    return figure


def perfusion_curves(
    time_s: np.ndarray,
    panels: dict[str, dict[str, np.ndarray]],
    *,
    windows: dict[str, tuple[float, float]],
    y_name: str,
    subject: str,
    synthetic: bool = False,
) -> Figure:
    """Plot mean curves of a perfusion series, one panel per tissue on a common scale, with shaded time windows.

    Args:
        time_s: shape (t,).
        panels: by title of the panel, curves of shape (t,) by label; a label has the same colour in all panels.
        windows: by name, start and end of a window, s.
        y_name: label of the vertical axis.
        subject: id of the patient, for the title.
        synthetic: whether the images are synthetic.
    """
    labels = dict.fromkeys(label for curves in panels.values() for label in curves)
    looks = dict(zip(labels, zip(cycle(COLOURS), cycle(DASHES), strict=False), strict=False))
    shades = dict(zip(windows, SHADES, strict=False))
    figure = new_figure(len(panels) * 2.8 + 1.6, 2.9, synthetic, title=f"{subject}: mean perfusion curves")
    row = figure.subplots(1, len(panels), sharey=True, squeeze=False).flat
    for n, (axes, (title, curves)) in enumerate(zip(row, panels.items(), strict=True)):
        letter = f"{'abcdefghijkl'[n]}) " if len(panels) > 1 else ""
        dress(axes, f"{letter}{title}", "Time (s)", "" if n else y_name)
        for label, curve in curves.items():
            colour, dashes = looks[label]
            axes.plot(time_s, curve, color=colour, linestyle=dashes, linewidth=1.4, label=label)
        values = np.concatenate(list(curves.values()))
        if np.nanmin(values) < 0 < np.nanmax(values):
            axes.axhline(0, color=GREY, linewidth=0.6, zorder=1, label="_zero")
        axes.set_xlim(time_s[0], time_s[-1])
        for name, shade in shades.items():
            axes.axvspan(*windows[name], color=shade, linewidth=0, zorder=0, label=name)
    lines = [legend_entry(name, color=c, linestyle=dashes, linewidth=1.5) for name, (c, dashes) in looks.items()]
    patches = [Patch(color=shade, label=name) for name, shade in shades.items()]
    figure.legend(handles=[*lines, *patches], loc="outside right center", fontsize=SMALL, frameon=False)
    return figure
