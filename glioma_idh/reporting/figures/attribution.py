"""Figures on which image regions a network uses: scores after occlusion of a region, and contribution maps.

The numbers are from the predictions table of `sgp3d.occlude`: `score`, `score_without_lesion`, `score_without_rest`.
"""

import numpy as np
import pandas as pd
from matplotlib.cm import ScalarMappable
from matplotlib.colors import AsinhNorm, LinearSegmentedColormap
from matplotlib.figure import Figure
from sklearn.metrics import roc_auc_score, roc_curve

from glioma_idh.evaluation.metrics import pool_patients
from glioma_idh.imaging.volumes import crop
from glioma_idh.reporting.figures import canvas, sheet
from glioma_idh.reporting.figures.canvas import GROUPS, NORMAL, SMALL, legend_entry
from glioma_idh.reporting.figures.cases import Case, head_line
from glioma_idh.reporting.figures.overlays import GAP, LABEL, WIDEST, draw_view, outline_entries
from glioma_idh.reporting.figures.sheet import LINE, PLANES, radiological, slice_name, slice_through

# Printed name, short name, colour.
CONDITIONS = {
    "score": ("Original scans", "original\nscans", "black"),
    "score_without_lesion": ("Without the lesion", "without\nthe lesion", canvas.ORANGE),
    "score_without_rest": ("Without the rest of the brain", "without\nthe rest", canvas.GREEN),
}
# From wild-type through transparent to mutant: the scan is visible where the map is near 0.
HEAT = LinearSegmentedColormap.from_list("heat", [(0, canvas.BLUE), (0.5, "#FFFFFF00"), (1, canvas.VERMILLION)])
TICKS = (-100, -30, -10, -3, -1, 0, 1, 3, 10, 30, 100)
OUTLINE = {"reference": ("Reference", canvas.YELLOW, 1.2)}  # a colour that the map does not use
MAP_NOTE = (
    "Contribution map: its mean over the network's input is the score as log-odds; 0 favours neither class. The "
    "network normalises over the whole image, so a lesion also changes the map elsewhere. Slices through the centre of "
    "the reference lesion. The patient's right is on the left."
)


def occluded_scores_figure(predictions: pd.DataFrame, *, synthetic=False) -> Figure:
    """ROC curves with and without each region, and the scores of all patients by IDH status, with medians.

    The predictions have the columns `patient, truth` and those of CONDITIONS; the scores of a patient are averaged.
    """
    note = "b) Dots: patients; lines: medians. The same networks are used for all conditions."
    figure = canvas.new_figure(7.2, 4.3, synthetic, note)
    roc, strips = figure.subplots(1, 2, width_ratios=(1, 1.15))
    canvas.dress_roc(roc, "a) ROC")
    canvas.dress(strips, "b) Scores", "", "Probability of IDH mutation")
    handles = []
    for place, (column, (name, _, colour)) in enumerate(CONDITIONS.items()):
        pooled = pool_patients(predictions.assign(score=predictions[column]))
        label = f"{name}: one class, no ROC curve"
        if pooled["truth"].nunique() > 1:
            label = f"{name}: AUC {roc_auc_score(pooled['truth'], pooled['score']):.2f}"
            roc.plot(*roc_curve(pooled["truth"], pooled["score"])[:2], color=colour, linewidth=1.6)
        handles.append(legend_entry(label, color=colour, linewidth=1.6, linestyle="-"))
        for truth, side in ((0, -0.2), (1, 0.2)):
            score, middle = pooled["score"][pooled["truth"] == truth].to_numpy(), place + side
            spread = np.linspace(-0.15, 0.15, len(score)) if len(score) > 1 else np.zeros(len(score))
            style = {"color": GROUPS[truth][1], "markersize": 2.2, "alpha": 0.6, "markeredgewidth": 0}
            if len(score):
                strips.plot(middle + spread, score, "o", **style)
                strips.hlines(np.median(score), middle - 0.18, middle + 0.18, color="black", linewidth=1.4)
    canvas.legend_below(roc, handles, columns=1)
    strips.set_xticks(range(len(CONDITIONS)), [short for _, short, _ in CONDITIONS.values()])
    strips.set(ylim=(-0.03, 1.03), xlim=(-0.5, len(CONDITIONS) - 0.5))
    groups = (GROUPS[truth] for truth in (0, 1))
    marks = [legend_entry(f"IDH-{name}", marker="o", markersize=3, color=colour) for name, colour in groups]
    canvas.legend_below(strips, marks, columns=2)
    return figure


def occlusion_text(metrics: dict) -> str:
    """The result of `sgp3d.occlusion.summarise_occlusion`, with `synthetic`, as a table and conclusions in text."""
    rows = {}
    for column, (name, _, _) in CONDITIONS.items():
        numbers, (low, high) = metrics[column], metrics[column]["auc_interval"]
        interval = f" ({low:.2f} to {high:.2f})" if low == low else ""
        rows[name] = {"AUC (95 % CI)": f"{numbers['auc']:.2f}{interval}"}
        if column != "score":
            less = numbers["difference"]
            interval = "" if less["reason"] else f" ({less['low']:+.2f} to {less['high']:+.2f})"
            rows[name]["minus original scans"] = f"{less['difference']:+.2f}{interval}"
            rows[name]["mean absolute change of score"] = f"{numbers['mean_change']:.2f}"
    lines = [f"{canvas.SYNTHETIC_NOTE}."] if metrics["synthetic"] else []
    table = pd.DataFrame.from_dict(rows, orient="index").fillna("").to_string()
    note = f"{metrics['num_patients']} patients, compared within splits. Confidence intervals: DeLong."
    filled = f"""Occluded regions are filled with healthy brain of another patient. This was not possible for {
        metrics["lesion_drawn"]:.0%} of the lesion voxels, which were drawn at random; their outline may be visible."""
    return "\n".join([*lines, table, note, filled, *metrics["conclusions"]])


def occluded_head_line(subject: str, scores: pd.Series) -> str:
    """Describe a subject in one line: IDH status, score, and score without each region."""
    without = [f"{name.lower()} {scores[column]:.2f}" for column, (name, _, _) in CONDITIONS.items() if name[0] == "W"]
    return ", ".join([head_line(subject, truth=scores["truth"], scores=[scores["score"]]), *without])


def map_overlay(case: Case, activation: np.ndarray, *, synthetic=False) -> Figure:
    """FLAIR in three planes through the centre of the reference lesion, without and with the contribution map.

    All images have one scale. The colours reach the 99.5th percentile of the absolute map values shown, on an inverse
    hyperbolic sine scale (linear below 1, logarithmic above). The map has the shape (i, j, k) of the case's images; its
    mean over the network's input is the logit of the score.
    """
    scale = WIDEST / case.size_mm.max()
    row = max(case.size_mm[up] for _, up in PLANES.values()) * scale
    width, height = LABEL + len(PLANES) * (WIDEST + GAP), LINE + 2 * (row + GAP)
    figure, axes = sheet.new_sheet(width, height + 0.4, case.title, MAP_NOTE, synthetic)
    limit = max(float(np.percentile(np.abs(crop(activation, case.box)), 99.5)), 1e-6)
    heat = ScalarMappable(AsinhNorm(1, -limit, limit), HEAT)
    rows = {"FLAIR": LINE, "FLAIR and map": LINE + row + GAP}
    for n, plane in enumerate(PLANES):
        x = LABEL + n * (WIDEST + GAP)
        style = {"fontsize": NORMAL, "fontweight": "bold", "ha": "center", "va": "top"}
        axes.text(x + WIDEST / 2, 0, slice_name(plane, case.centre), **style)
        for y in rows.values():
            drawn = draw_view(axes, case, "flair", plane, (x, y, WIDEST, row), scale, OUTLINE)
        colours = heat.to_rgba(radiological(activation[slice_through(plane, case.centre, case.box)]))
        axes.imshow(colours, extent=drawn.get_extent(), interpolation="bilinear")
    for words, y in rows.items():
        axes.text(LABEL / 2, y + row / 2, words, fontsize=SMALL, rotation=90, ha="center", va="center")
    sheet.close_sheet(axes, width, height, outline_entries([case], OUTLINE))
    ticks = [tick for tick in TICKS if abs(tick) <= limit]
    label = "← favours wild-type     log-odds     favours mutant →"
    bar = canvas.colour_bar(figure, heat, axes, label, pad=0.03, ticks=ticks, format="%g")
    bar.minorticks_off()
    bar.ax.set_facecolor("#7F7F7F")  # the grey of a scan
    return figure
