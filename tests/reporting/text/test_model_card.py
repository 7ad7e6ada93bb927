"""The model card: whole Markdown, with numbers, limits, code that can be run, and the papers."""

import ast
import re
from pathlib import Path

import pytest

from glioma_idh.papers import find_paper
from glioma_idh.reporting.text.model_card import model_card
from tests.reporting.text.small_run import (
    COHORT,
    EXCLUSIONS,
    LESIONS_ALONE,
    PHANTOMS,
    SGPNET,
    SLICE_CNN,
    SPLITS,
    WORTH,
    run,
    with_settings,
)
from tests.reporting.text.test_number_sentences import NUMBERS

HEADINGS = [
    "Networks",
    "Intended use",
    "Training data",
    "Performance (internal testing)",
    "Comparison with simple baselines",
    "Performance within groups of patients",
    "Calibration",
    "Limitations",
    "Loading a network",
    "Licence and citation",
]
ROOT = Path(__file__).parents[3]


def code_of(card: str) -> str:
    return re.search("```python\n(.*?)```", card, re.DOTALL)[1]


def test_a_card_has_its_sections_numbers_and_limits():
    card = model_card(
        run(SGPNET, performance=WORTH, cohort=COHORT, splits=SPLITS, exclusions=EXCLUSIONS, name="SGPNet")
    )
    assert card.startswith(
        "# Model card: SGPNet (glioma_idh.sgp3d)\n\n**For research use only. This is not a medical device"
    )
    assert re.findall("^## (.*)$", card, re.MULTILINE) == HEADINGS
    rows = [re.split(r" *\| *", line.strip("| ")) for line in card.splitlines() if line.startswith("| ")]
    assert ["patients tested", "5 (2 IDH-mutant)"] in rows and ["AUC within splits", "0.75 (0.50 to 0.95)"] in rows
    assert ["AUC, pooled", "0.73 (0.47 to 0.93)"] in rows
    assert ["sensitivity, threshold 0.5", "0.50 (0.25 to 1.00), 1 of 2"] in rows
    assert ["volume error (predicted minus reference), ml", "-3.00 (-5.00 to -1.00)"] in rows
    before, image, after = "before surgery, without imaging", "from the image, without a network", "after surgery"
    beside = [row for row in rows if row[0] in (before, image, after)]
    assert beside == [
        [before, "majority class", "0.50 (0.50 to 0.50)", "+0.25 (+0.00 to +0.50), p < 0.001"],
        [before, "age", "cannot be computed, because the cohort has no age_years", "-"],
        [image, "lesion volume", "0.60 (0.30 to 0.80)", "+0.15 (-0.10 to +0.40), p = 0.30"],
        [after, "grade", "0.80 (0.60 to 1.00)", "-0.05 (-0.20 to +0.10), p = 0.52"],
    ]
    assert [
        "available",
        "baseline",
        "AUC within splits (95 % CI)",
        "network minus baseline (95 % CI), p after Holm",
    ] in rows
    verdict = "The AUC of the network is not significantly higher than that of lesion volume and grade alone."
    assert f"\n- {verdict}\n" in card
    assert "3 subjects were excluded" in card and "2 networks, one per split" in card
    assert not re.search(r"None|nan|\{|\n\n\n", card)


def test_without_splits_nothing_is_said_of_them():
    card = model_card(run(SGPNET, splits=SPLITS.iloc[:0], performance=WORTH, name="net"))
    assert "no patient was in" not in card and "excluded" not in card and "# Model card: net (glioma_idh.sgp3d)" in card


def test_a_synthetic_card_says_so_first():
    card = model_card(run(SLICE_CNN, performance=WORTH, cohort=PHANTOMS, splits=SPLITS, name="rCBV"))
    assert card.split("\n\n")[1] == "**Synthetic phantom cohort: no clinical result.**"
    assert "- The cohort is synthetic: these results do not apply to patients." in card


@pytest.mark.parametrize(
    ("settings", "outputs"),
    [
        ({}, {"idh", "segmentation"}),
        ({"targets": "idh"}, {"idh"}),
        ({"targets": "random-masks"}, {"idh"}),
        ({"network": "unet3d", "targets": "segmentation"}, {"segmentation"}),
        ({"network": "resnet2d", "targets": "idh"}, {"idh"}),
    ],
)
def test_the_code_reads_what_the_network_has_learnt(settings, outputs):
    code = code_of(model_card(run(with_settings(SGPNET, **settings), performance=WORTH, cohort=COHORT)))
    ast.parse(code)
    assert set(re.findall(r'outputs\["(\w+)"\]', code)) == outputs
    assert ("(n, 32, 48, 4)" if settings.get("network") == "resnet2d" else "(n, 32, 48, 64, 4)") in code


def test_the_slice_network_s_code():
    code = code_of(model_card(run(SLICE_CNN, performance=WORTH, cohort=PHANTOMS)))
    ast.parse(code)
    assert "[:, 1]" in code and "(n, 64, 64, 1)" in code


def test_a_network_of_segmentation_alone_has_a_card():
    card = model_card(run(with_settings(SGPNET, targets="segmentation"), performance=LESIONS_ALONE))
    assert "| Dice" in card and "\n| AUC within" not in card and "AUC, pooled" not in card
    assert "cannot be computed, because the table holds no score" in card and "None" not in card


def test_the_papers_are_cited_as_the_repository_does():
    citation = (ROOT / "CITATION.cff").read_text()
    papers = {name: find_paper({"paper": name}).citation for name in ("gbm2d", "sgp3d")}
    for title, *_ in (re.findall(r"(?:authors|Wang, and co-authors)\. (.*?)\. ", paper) for paper in papers.values()):
        assert f'title: "{title}"' in citation
    assert "10.3390/jpm11040290" in citation and "10.3390/jpm11040290" in papers["gbm2d"]
    for paper, text in papers.items():
        recipe = {"gbm2d": SLICE_CNN, "sgp3d": SGPNET}[paper]
        assert text in model_card(run(recipe, performance=WORTH, cohort=COHORT))


def test_every_number_of_the_card_stands_under_its_name():
    card = model_card(run(SGPNET, performance=NUMBERS, cohort=COHORT, splits=SPLITS))
    lines = [re.split(r" *\| *", line.strip("| ")) for line in card.splitlines() if line.startswith("| ")]
    rows = {cells[0]: cells[1:] for cells in lines}
    assert rows["patients tested"] == ["40 (10 IDH-mutant)"]
    expected = {
        "AUC within splits": "0.81 (0.71 to 0.92)",
        "AUC, pooled": "0.82 (0.72 to 0.93)",
        "average precision": "0.63 (0.53 to 0.74)",
        "Brier score": "0.14 (0.11 to 0.18)",
        "log loss": "0.44 (0.34 to 0.55)",
        "sensitivity, threshold 0.5": "0.70 (0.35 to 1.00), 7 of 10",
        "specificity, threshold 0.5": "0.80 (0.40 to 1.00), 24 of 30",
        "accuracy, threshold 0.5": "0.78 (0.39 to 1.00), 31 of 40",
        "PPV, threshold 0.5": "0.54 (0.27 to 1.00), 7 of 13",
        "NPV, threshold 0.5": "0.89 (0.44 to 1.00), 24 of 27",
        "Dice": "0.79 (0.69 to 0.88)",
        "HD95, mm": "7.10 (6.20 to 8.30)",
        "volume error (predicted minus reference), ml": "-3.10 (-4.20 to -2.30)",
    }
    assert {name: rows[name][0] for name in expected} == expected
    grade, age = ["grade", "0.85 (0.75 to 0.96)", "-0.04"], ["age", "0.45 (0.35 to 0.56)", "+0.36"]
    assert rows["after surgery"] == [*grade[:2], f"{grade[2]} (-0.14 to +0.06), p = 0.40"]
    assert rows["before surgery, without imaging"] == [*age[:2], f"{age[2]} (+0.21 to +0.48), p < 0.001"]
    for section, text in (
        ("Calibration", "slope 1.40 (1.30"),
        ("Performance within groups of patients", "grade LGG (n = 28, 9"),
    ):
        assert text in card.split(f"## {section}")[1].split("##")[0]


def test_the_code_takes_the_mutant_s_and_the_lesion_s_own_channel():
    code = code_of(model_card(run(SGPNET, performance=WORTH, cohort=COHORT)))
    assert 'outputs["idh"][:, 0]' in code and 'outputs["segmentation"][..., 1]' in code
    assert "4): T1, T1Gd, T2, FLAIR" in code and "split_1/model.keras" in code
