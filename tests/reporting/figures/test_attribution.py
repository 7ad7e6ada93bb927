"""What is left of the scores without a region, and maps over scans, whose numbers and places are known."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from matplotlib.text import Text

from glioma_idh.reporting.figures.attribution import (
    CONDITIONS,
    map_overlay,
    occluded_head_line,
    occluded_scores_figure,
    occlusion_text,
)
from glioma_idh.reporting.figures.canvas import BLUE, VERMILLION
from glioma_idh.reporting.figures.cases import Case

NOTE = "Synthetic phantom cohort: no clinical result"
TABLE = pd.DataFrame(
    {
        "patient": list("abcdef"),
        "truth": [1, 1, 1, 0, 0, 0],
        "score": [0.9, 0.8, 0.6, 0.3, 0.2, 0.0],
        "score_without_lesion": [0.1, 0.3, 0.35, 0.4, 0.8, 0.9],  # all the wrong way round
        "score_without_rest": [0.9, 0.5, 0.2, 0.6, 0.4, 0.1],  # six of nine pairs right
    }
)


def words(figure):
    return "\n".join(text.get_text() for text in figure.findobj(Text))


def test_each_condition_has_its_own_curve_under_its_own_name():
    roc, strips = occluded_scores_figure(TABLE).axes
    assert (roc.get_xlabel(), roc.get_ylabel()) == ("1 - specificity", "Sensitivity")
    legend = roc.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == [
        "Original scans: AUC 1.00",
        "Without the lesion: AUC 0.00",
        "Without the rest of the brain: AUC 0.67",
    ]
    assert [line.get_color() for line in legend.get_lines()] == ["black", "#E69F00", "#009E73"]
    _, *curves = roc.get_lines()
    assert [line.get_color() for line in curves] == ["black", "#E69F00", "#009E73"]
    # without a false positive: all mutants, none without the lesion, one of three without the rest
    for line, found in zip(curves, (1, 0, 1 / 3), strict=True):
        x, y = line.get_data()
        assert max(y[x == 0]) == pytest.approx(found)
    names = [label.get_text().replace("\n", " ") for label in strips.get_xticklabels()]
    assert names == ["original scans", "without the lesion", "without the rest"]


def test_the_strips_show_every_patient_by_genotype_and_the_medians():
    strips = occluded_scores_figure(TABLE).axes[1]
    dots = [(line.get_color(), line.get_xdata(), line.get_ydata()) for line in strips.get_lines()]
    assert len(dots) == 6
    for place, column in enumerate(CONDITIONS):
        for n, (truth, colour, side) in enumerate(((0, BLUE, -0.2), (1, VERMILLION, 0.2))):
            drawn_colour, x, y = dots[2 * place + n]
            assert drawn_colour == colour and np.mean(x) == pytest.approx(place + side)
            assert list(y) == TABLE.loc[TABLE["truth"] == truth, column].tolist()
    middles = [float(lines.get_segments()[0][0, 1]) for lines in strips.collections]
    assert middles == pytest.approx([0.2, 0.8, 0.8, 0.3, 0.4, 0.5])
    legend = strips.get_legend()
    shown = {
        text.get_text(): line.get_color() for text, line in zip(legend.get_texts(), legend.get_lines(), strict=True)
    }
    assert (
        shown == {"IDH-wild-type": BLUE, "IDH-mutant": VERMILLION}
        and strips.get_ylabel() == "Probability of IDH mutation"
    )


def test_a_patient_of_several_tests_counts_once_and_phantoms_are_marked():
    twice = pd.concat([TABLE.assign(score=TABLE["score"] + shift) for shift in (-0.05, 0.05)])
    figure = occluded_scores_figure(twice, synthetic=True)
    assert figure.axes[1].get_lines()[1].get_ydata() == pytest.approx([0.9, 0.8, 0.6])
    assert NOTE in words(figure) and NOTE not in words(occluded_scores_figure(TABLE))


def numbers(auc, low, high, difference=None, reason=""):
    found = {"auc": auc, "auc_interval": [low, high]}
    if difference is not None:
        ends = {"difference": difference, "low": difference - 0.11, "high": difference + 0.13, "reason": reason}
        found |= {"difference": ends, "mean_change": abs(difference) / 2}
    return found


METRICS = {
    "score": numbers(0.91, 0.82, 0.97),
    "score_without_lesion": numbers(0.55, 0.41, 0.69, -0.36),
    "score_without_rest": numbers(0.88, np.nan, np.nan, -0.03, "cannot be computed, because of few"),
    "num_patients": 42,
    "lesion_drawn": 0.25,
    "conclusions": ["One.", "Two."],
    "synthetic": False,
}


def test_numbers_in_words_have_their_intervals_and_signs():
    lines = [" ".join(line.split()) for line in occlusion_text(METRICS).splitlines()]
    assert lines[0] == "AUC (95 % CI) minus original scans mean absolute change of score"
    assert lines[1:4] == [
        "Original scans 0.91 (0.82 to 0.97)",
        "Without the lesion 0.55 (0.41 to 0.69) -0.36 (-0.47 to -0.23) 0.18",
        "Without the rest of the brain 0.88 -0.03 0.01",
    ]
    assert (
        "42 patients, compared within splits" in lines[4]
        and "25% of the lesion voxels" in lines[5]
        and lines[6:] == ["One.", "Two."]
    )
    assert occlusion_text(METRICS | {"synthetic": True}).startswith(NOTE)


def test_the_head_line_tells_each_score_by_its_name():
    scores = pd.Series({"truth": 1, "score": 0.91, "score_without_lesion": 0.32, "score_without_rest": 0.73})
    assert occluded_head_line("S1", scores) == (
        "S1 (IDH-mutant): probability of IDH mutation 0.91, without the lesion 0.32, without the rest of the brain 0.73"
    )


SHAPE, SPACING = (12, 16, 10), (1.0, 1.0, 2.0)


@pytest.fixture(scope="module")
def mapped():
    """A head whose right speaks for mutant, whose left for wild-type, by as much; its middle is silent."""
    flair = 1 + np.arange(np.prod(SHAPE), dtype=np.float32).reshape(SHAPE)
    lesion = np.zeros(SHAPE, bool)
    lesion[7:9, 4:6, 3:5] = True
    activation = np.zeros(SHAPE)
    activation[8:], activation[:4] = 20, -20
    case = Case({"flair": flair}, lesion, None, SPACING, "S1")
    return case, map_overlay(case, activation, synthetic=True)


def test_the_map_lies_on_the_scan_its_colours_on_their_sides(mapped):
    case, figure = mapped
    images = figure.axes[0].get_images()
    assert len(images) == 3 * 3  # FLAIR alone, FLAIR below the map, the map
    i, j, k = case.centre
    for n, place in enumerate(
        ((slice(None), slice(None), k), (slice(None), j, slice(None)), (i, slice(None), slice(None)))
    ):
        alone, below, colours = images[3 * n : 3 * n + 3]
        expected = case.images["flair"][place][::-1, ::-1].T
        assert (alone.get_array() == expected).all() and (below.get_array() == expected).all()
        assert below.get_extent() == colours.get_extent() and alone.get_extent()[3] < below.get_extent()[3]
    axial = np.asarray(images[2].get_array())
    assert axial[0, 0, :3] == pytest.approx(
        np.array(to_rgb(VERMILLION))
    )  # the patient's right, on the left: towards mutant
    assert axial[0, -1, :3] == pytest.approx(np.array(to_rgb(BLUE)))
    assert axial[0, 5, 3] == pytest.approx(0, abs=0.01)  # says nothing: the scan shows


def test_what_lies_outside_the_picture_does_not_pale_the_map():
    flair, activation = np.zeros(SHAPE), np.full(SHAPE, 5000.0)
    flair[3:9, 4:12, 2:8] = 1 + np.arange(8)[:, None]
    activation[3:9, 4:12, 2:8] = 20
    bar = map_overlay(Case({"flair": flair}, flair > 5, None, SPACING, "S1"), activation).axes[1]
    assert [float(tick) for tick in bar.get_xticks()] == [-10, -3, -1, 0, 1, 3, 10]


def test_the_bar_says_which_side_is_which(mapped):
    _, figure = mapped
    bar = figure.axes[1]
    assert bar.get_xlabel().index("wild-type") < bar.get_xlabel().index("mutant", bar.get_xlabel().index("log-odds"))
    assert [float(tick) for tick in bar.get_xticks()] == [-10, -3, -1, 0, 1, 3, 10]
    assert "FLAIR and map" in words(figure) and NOTE in words(figure)
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == ["Reference"]
