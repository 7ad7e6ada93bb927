"""Where a network's scores come from: what is left of them without a region of the scans, and maps of single subjects.

Numbers come from the predictions table of `sgp3d.occlude`: `score`, `score_without_lesion`, `score_without_rest`.
"""

import numpy as np
import pandas as pd
from matplotlib.cm import ScalarMappable
from matplotlib.colors import AsinhNorm, LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from sklearn.metrics import roc_auc_score, roc_curve

from glioma_idh.evaluation.metrics import pool_patients
from glioma_idh.imaging.boxes import crop
from glioma_idh.reporting.figures.canvas import (
    BLUE,
    GREEN,
    GREY,
    NORMAL,
    SMALL,
    SYNTHETIC_NOTE,
    VERMILLION,
    dress,
    legend_below,
    new_figure,
)
from glioma_idh.reporting.figures.cases import Case, head_line
from glioma_idh.reporting.figures.overlays import (
    GAP,
    LABEL,
    LINE,
    PLANES,
    WIDEST,
    draw_view,
    finish,
    new_sheet,
    plane_name,
    plane_through,
)
from glioma_idh.reporting.figures.pictures import GROUPS, radiological

# Name in print, short name, colour.
CONDITIONS = {
    "score": ("Scans as they are", "as they\nare", "black"),
    "score_without_lesion": ("Without the lesion", "without\nthe lesion", "#E69F00"),
    "score_without_rest": ("Without the rest of the brain", "without\nthe rest", GREEN),
}
# Towards wild-type, nothing, towards mutant: the scan shows where the map says little.
HEAT = LinearSegmentedColormap.from_list("heat", [(0, BLUE), (0.5, "#FFFFFF00"), (1, VERMILLION)])
TICKS = (-100, -30, -10, -3, -1, 0, 1, 3, 10, 30, 100)
OUTLINE = {"reference": ("Reference", "#F0E442", 1.2)}  # a colour that the map has not
MAP_NOTE = (
    "The mean of the map over the network's input is the logit of the score; 0 speaks for neither. The network "
    "normalises over the whole image, so that a lesion also changes what the map says elsewhere. Slices through the "
    "reference's centre, patient's right on the left."
)


def occluded_scores_figure(predictions: pd.DataFrame, *, synthetic=False) -> Figure:
    """ROC curves with and without each region, and the scores of every patient by genotype.

    Args:
        predictions: columns `patient, truth` and those of CONDITIONS; scores of a patient are averaged.
        synthetic: whether the subjects are phantoms; the figure then says so.
    """
    figure = new_figure(7.2, 4.3, synthetic, "Right: a dot a patient, lines the medians. The network is the same.")
    roc, strips = figure.subplots(1, 2, width_ratios=(1, 1.15))
    dress(roc, "a) ROC", "1 - specificity", "Sensitivity")
    dress(strips, "b) Scores", "", "Probability of IDH mutation")
    roc.plot([0, 1], [0, 1], linestyle=":", color=GREY, linewidth=0.9)
    ticks = np.arange(0, 1.1, 0.25)
    roc.set(aspect="equal", anchor="N", xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), xticks=ticks, yticks=ticks)
    handles = []
    for place, (column, (name, _, colour)) in enumerate(CONDITIONS.items()):
        pooled = pool_patients(predictions.assign(score=predictions[column]))
        label = f"{name}: one class, no ROC"
        if pooled["truth"].nunique() > 1:
            label = f"{name}: AUC {roc_auc_score(pooled['truth'], pooled['score']):.2f}"
            roc.plot(*roc_curve(pooled["truth"], pooled["score"])[:2], color=colour, linewidth=1.6)
        handles.append(Line2D([], [], color=colour, linewidth=1.6, label=label))
        _draw_strips(strips, place, pooled)
    legend_below(roc, handles, columns=1)
    strips.set_xticks(range(len(CONDITIONS)), [short for _, short, _ in CONDITIONS.values()])
    strips.set(ylim=(-0.03, 1.03), xlim=(-0.5, len(CONDITIONS) - 0.5))
    marks = [Line2D([], [], linestyle="none", marker="o", markersize=3, color=c, label=n) for n, c in _genotypes()]
    legend_below(strips, marks, columns=2)
    return figure


def _genotypes() -> list[tuple[str, str]]:
    """Name and colour of both, wild-type first."""
    return [(f"IDH-{GROUPS[truth][0]}", GROUPS[truth][1]) for truth in (0, 1)]


def _draw_strips(axes, place: int, pooled: pd.DataFrame) -> None:
    """The patients' scores under one condition, wild-type on the left, and their medians."""
    for truth, (_, colour) in enumerate(_genotypes()):
        score, middle = pooled["score"][pooled["truth"] == truth].to_numpy(), place + (truth - 0.5) * 0.4
        if len(score):
            spread = np.linspace(-0.15, 0.15, len(score)) if len(score) > 1 else 0
            axes.plot(middle + spread, score, "o", color=colour, markersize=2.2, alpha=0.6, markeredgewidth=0)
            axes.hlines(np.median(score), middle - 0.18, middle + 0.18, color="black", linewidth=1.4)


def occlusion_text(metrics: dict) -> str:
    """The numbers as lines of text: a table, what they say, and that they are synthetic.

    Args:
        metrics: as `sgp3d.occlusion.summarise_occlusion` gives them, and `synthetic`.
    """
    rows = {}
    for column, (name, _, _) in CONDITIONS.items():
        numbers = metrics[column]
        rows[name] = {"AUC (95 % interval)": _auc_text(numbers)}
        if column != "score":
            rows[name]["less as it is"] = _difference_text(numbers["difference"])
            rows[name]["mean change of score"] = f"{numbers['mean_change']:.2f}"
    lines = [f"{SYNTHETIC_NOTE}."] if metrics["synthetic"] else []
    table = pd.DataFrame.from_dict(rows, orient="index").fillna("").to_string()
    note = f"{metrics['num_patients']} patients, compared within splits; intervals: DeLong. Changes without sign."
    filled = f"""What is occluded is filled with the healthy brain of another patient. It had none to give for {
        metrics["lesion_drawn"]:.0%} of the lesions' voxels: there voxels were drawn, and an outline may show."""
    return "\n".join([*lines, table, note, filled, *metrics["conclusions"]])


def _auc_text(numbers: dict) -> str:
    """An AUC with its interval."""
    low, high = numbers["auc_interval"]
    return f"{numbers['auc']:.2f}" + (f" ({low:.2f} to {high:.2f})" if low == low else "")


def _difference_text(difference: dict) -> str:
    """A difference of AUC with its interval."""
    ends = f" ({difference['low']:+.2f} to {difference['high']:+.2f})" if not difference["reason"] else ""
    return f"{difference['difference']:+.2f}{ends}"


def occluded_head_line(subject: str, scores: pd.Series) -> str:
    """A subject in a line: its truth, its score, and what is left of it without each region.

    Args:
        subject: its id.
        scores: `truth` and the columns of CONDITIONS.
    """
    without = [f"{name.lower()} {scores[column]:.2f}" for column, (name, _, _) in CONDITIONS.items() if name[0] == "W"]
    return ", ".join([head_line(subject, truth=scores["truth"], scores=[scores["score"]]), *without])


def map_overlay(case: Case, activation: np.ndarray, *, synthetic=False) -> Figure:
    """FLAIR in three planes through the lesion's centre, alone and under a map of where the score comes from.

    Args:
        case: with FLAIR and the reference.
        activation: where the score comes from, shape (i, j, k) of the case's images; its mean over the network's
            input is the logit.
        synthetic: whether the subject is a phantom; the figure then says so.

    Returns:
        The figure, in radiological display, one scale for all of it. Colours run to the 99.5th percentile of the map's
        size in what is shown, by its inverse hyperbolic sine: linear below 1, logarithmic above.
    """
    scale = WIDEST / case.size_mm.max()
    row = max(case.size_mm[up] for _, up in PLANES.values()) * scale
    width, height = LABEL + len(PLANES) * (WIDEST + GAP), LINE + 2 * (row + GAP)
    figure, axes = new_sheet(width, height + 0.4, case.title, MAP_NOTE, synthetic)
    limit = max(float(np.percentile(np.abs(crop(activation, case.box)), 99.5)), 1e-6)
    heat = ScalarMappable(AsinhNorm(1, -limit, limit), HEAT)
    for n, plane in enumerate(PLANES):
        x = LABEL + n * (WIDEST + GAP)
        style = {"fontsize": NORMAL, "fontweight": "bold", "ha": "center", "va": "top"}
        axes.text(x + WIDEST / 2, 0, plane_name(case, plane), **style)
        for y in (LINE, LINE + row + GAP):
            drawn = draw_view(axes, case, "flair", plane, ((x, y), (WIDEST, row), scale), OUTLINE)
        colours = heat.to_rgba(radiological(activation[plane_through(case, plane)]))
        axes.imshow(colours, extent=drawn.get_extent(), interpolation="bilinear")
    for y, words in ((LINE, "FLAIR"), (LINE + row + GAP, "FLAIR and map")):
        axes.text(LABEL / 2, y + row / 2, words, fontsize=SMALL, rotation=90, ha="center", va="center")
    finish(axes, width, height, [case], OUTLINE)
    _draw_bar(figure, heat, axes)
    return figure


def _draw_bar(figure, heat: ScalarMappable, axes) -> None:
    """The map's colours on the grey of a scan, and what they say."""
    ticks = [tick for tick in TICKS if abs(tick) <= heat.norm.vmax]
    style = {"location": "bottom", "shrink": 0.5, "aspect": 35, "pad": 0.03, "extend": "both", "format": "%g"}
    bar = figure.colorbar(heat, ax=axes, ticks=ticks, **style)
    bar.minorticks_off()
    bar.ax.set_facecolor("#7F7F7F")
    bar.set_label("← towards wild-type     logit     towards mutant →", fontsize=SMALL)
    bar.ax.tick_params(labelsize=SMALL)
