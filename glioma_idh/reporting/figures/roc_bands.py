"""ROC curves of several networks in one panel, each with its band."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn.metrics import roc_auc_score, roc_curve

from glioma_idh.evaluation.bootstrap import DRAWS, roc_band
from glioma_idh.evaluation.intervals import auc_interval
from glioma_idh.evaluation.metrics import pool_patients
from glioma_idh.reporting.figures import canvas

BAND_RATES = np.linspace(0, 1, 501)
CURVE_STYLES = [  # told apart by their dashes in grey; short ones, which the legend has room for
    {"color": canvas.BLUE, "linestyle": "-"},
    {"color": canvas.VERMILLION, "linestyle": (0, (3, 1))},
    {"color": canvas.GREEN, "linestyle": (0, (3, 0.8, 0.8, 0.8))},
    {"color": canvas.ORANGE, "linestyle": (0, (1, 0.6))},
    {"color": canvas.PURPLE, "linestyle": (0, (3, 0.8, 0.8, 0.8, 0.8, 0.8))},
]
MARKERS = "Ds^vP"


def roc_with_bands(
    predictions_by_name: dict[str, pd.DataFrame],
    *,
    marks: dict[str, tuple[float, float]] | None = None,
    published: dict[str, float] | None = None,
    synthetic: bool = False,
    seed: int = 0,
) -> Figure:
    """ROC curves of several networks in one panel, each with a pointwise 95 % band (as Fig. 4 of SGPNet's paper).

    A curve is that of all tested patients together; its band is `evaluation.bootstrap.roc_band`'s, of draws within each
    class; the interval behind its AUC is DeLong's. Rows without a truth or a score are left out, and a patient of
    several rows has their mean score.

    Args:
        predictions_by_name: of each network, at most five; columns `patient, truth, score`.
        marks: (1 - specificity, sensitivity) by name of answers that are no curve, as the tumour's grade; at most five.
        published: the paper's AUC by name; may lack names.
        seed: of the bands' draws.

    Raises:
        ValueError: more networks or marks than can be told apart.
    """
    marks, published = marks or {}, published or {}
    if len(predictions_by_name) > len(CURVE_STYLES) or len(marks) > len(MARKERS):
        found = f"{len(predictions_by_name)} and {len(marks)}"
        raise ValueError(f"expected at most {len(CURVE_STYLES)} networks and {len(MARKERS)} marks; found {found}")
    pooled = {name: pool_patients(rows.dropna(subset=["truth", "score"])) for name, rows in predictions_by_name.items()}
    counts = dict.fromkeys(f"{patients['truth'].sum():.0f} of {len(patients)}" for patients in pooled.values())
    bands = f"Bands: 95 % at each point, {DRAWS} stratified bootstrap draws of the patients."
    note = f"{' and '.join(counts)} patients IDH-mutant. Brackets: 95 % confidence interval. {bands}"
    height = 4.65 + 0.155 * (len(pooled) + len(marks)) + 0.13 * synthetic
    figure = canvas.new_figure(4.3, height, synthetic, note)
    axes = figure.subplots()
    canvas.dress_roc(axes)
    entries = []
    for (name, patients), style in zip(pooled.items(), CURVE_STYLES, strict=False):
        entries.append(_draw_curve(axes, name, patients, published.get(name), style, seed))
    style = {"markersize": 5.5, "color": "black", "markeredgecolor": "white", "linestyle": "none", "zorder": 3}
    for (name, (rate, sensitivity)), marker in zip(marks.items(), MARKERS, strict=False):
        label = f"{name}: sensitivity {sensitivity:.2f}, specificity {1 - rate:.2f}"
        entries += axes.plot(rate, sensitivity, marker=marker, label=label, **style)
    canvas.legend_below(axes, entries, columns=1)
    return figure


def _draw_curve(axes, name: str, patients: pd.DataFrame, published: float | None, style: dict, seed: int):
    """One network's curve and band; its line in the legend."""
    truth, score = patients["truth"], patients["score"]
    if truth.nunique() < 2:
        return canvas.legend_entry(f"{name}: one class only")
    low, high = roc_band(truth, score, BAND_RATES, seed=seed)
    axes.fill_between(BAND_RATES, low, high, color=style["color"], alpha=0.1, linewidth=0)
    axes.plot(BAND_RATES, np.transpose([low, high]), linewidth=0.5, alpha=0.8, **style)
    low, high = auc_interval(truth, score)
    label = f"{name}: pooled AUC {roc_auc_score(truth, score):.2f}"
    label += "" if np.isnan(low) else f" ({low:.2f}-{high:.2f})"
    label += "" if published is None else f", paper {published:.2f}"
    (line,) = axes.plot(*roc_curve(truth, score, drop_intermediate=False)[:2], linewidth=1.5, label=label, **style)
    return line
