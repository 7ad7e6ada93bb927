"""Curves as they were given, each label in one colour, windows where they lie."""

import numpy as np
import pytest
from matplotlib.text import Text

from glioma_idh.reporting.figures.patient_checks import perfusion_curves

NOTE = "Synthetic phantom cohort: no clinical result"
TIME_S = np.arange(0, 90, 1.5)
BOLUS = np.exp(-((TIME_S - 40) ** 2) / 50)
PANELS = {
    "Tumour": {"Uncorrected": 8 * BOLUS - 0.02 * TIME_S, "Corrected": 8 * BOLUS},
    "Normal white matter": {"Corrected": 3 * BOLUS},
}
WINDOWS = {"Baseline": (6.0, 30.0), "First pass": (31.5, 54.0)}


def draw(panels=PANELS, **keywords):
    return perfusion_curves(TIME_S, panels, windows=WINDOWS, y_name="ΔR2* (1/s)", subject="patient-7", **keywords)


def curves(axes):
    return {line.get_label(): line for line in axes.get_lines() if not line.get_label().startswith("_")}


def words(figure):
    return [text.get_text() for text in figure.findobj(Text) if text.get_text().strip()]


def test_curves_are_drawn_as_given_in_one_colour_a_label_and_one_scale():
    tumour, white = draw().axes
    assert curves(tumour)["Uncorrected"].get_ydata() == pytest.approx(PANELS["Tumour"]["Uncorrected"])
    assert curves(white)["Corrected"].get_ydata() == pytest.approx(3 * BOLUS)
    assert curves(white)["Corrected"].get_color() == curves(tumour)["Corrected"].get_color()
    assert curves(tumour)["Uncorrected"].get_color() != curves(tumour)["Corrected"].get_color()
    assert tumour.get_ylim() == white.get_ylim() and tumour.get_xlim() == (0, 88.5)


def test_a_line_of_0_only_where_curves_cross_it():
    tumour, white = draw().axes
    zeros = [[line for line in axes.get_lines() if line.get_label() == "_zero"] for axes in (tumour, white)]
    assert [len(found) for found in zeros] == [1, 0]


def test_windows_are_shaded_in_every_panel():
    for axes in draw().axes:
        spans = {patch.get_label(): patch.get_window_extent() for patch in axes.patches}
        for name, seconds in WINDOWS.items():
            ends = axes.transData.inverted().transform([(spans[name].x0, 0), (spans[name].x1, 0)])[:, 0]
            assert ends == pytest.approx(seconds)


def test_titles_axes_and_legend_name_everything_once():
    figure = draw()
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["a) Tumour", "b) Normal white matter"]
    assert [axes.get_ylabel() for axes in figure.axes] == ["ΔR2* (1/s)", ""]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["Uncorrected", "Corrected", "Baseline", "First pass"]
    drawn = curves(figure.axes[0])
    for text, line in zip(legend.get_texts()[:2], legend.get_lines(), strict=True):
        assert (line.get_color(), line.get_linestyle()) == (
            drawn[text.get_text()].get_color(),
            drawn[text.get_text()].get_linestyle(),
        )
    shades = {patch.get_label(): patch.get_facecolor() for patch in figure.axes[0].patches}
    assert {patch.get_label(): patch.get_facecolor() for patch in legend.get_patches()} == shades
    assert len(set(shades.values())) == 2 and curves(figure.axes[0])["Corrected"].get_xdata() == pytest.approx(TIME_S)
    assert figure.axes[0].get_xlabel() == "Time (s)"
    assert "patient-7: mean perfusion curves" in words(figure)
    (only,) = draw({"Tumour": PANELS["Tumour"]}).axes
    assert only.get_title(loc="left") == "Tumour"


@pytest.mark.parametrize("number", [1, 2, 3, 5])
@pytest.mark.integration
def test_letters_are_seven_points_or_more_and_overlap_nothing(number):
    panels = {f"Tissue {n}": PANELS["Tumour"] for n in range(number)}
    figure = draw(panels, synthetic=True)
    assert NOTE in words(figure) and NOTE not in words(draw())
    figure.draw_without_rendering()
    shown = [text for text in figure.findobj(Text) if text.get_text().strip() and text.get_visible()]
    assert min(text.get_fontsize() for text in shown) >= 7
    whole = [text for text in shown if not text.get_text().replace("−", "").isdigit()]  # ticks beside each other
    boxes = [text.get_window_extent() for text in whole]
    assert [(one, two) for n, one in enumerate(boxes) for two in boxes[:n] if one.overlaps(two)] == []
    extent, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert min(extent.x0, extent.y0) >= -0.01 and extent.x1 <= width + 0.01 and extent.y1 <= height + 0.01
