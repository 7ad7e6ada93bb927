"""What a person is told of new predictions, line by line."""

import pandas as pd
import pytest

from glioma_idh.errors import InputError
from glioma_idh.files import write_json
from glioma_idh.reporting.text.cautions import RESEARCH, prediction_text
from tests.reporting.text.small_run import LESIONS_ALONE, WORTH, estimate

ROW = {"subject": "a", "score_1": 0.2, "score_2": 0.4, "score": 0.3, "score_sd": 0.14, "lesion_ml": 9.0}


@pytest.fixture
def told(tmp_path):
    """The lines on a row, of a run with these numbers."""

    def lines(row: dict, performance: dict | None) -> list[str]:
        write_json(
            {"synthetic": False} | ({"performance": performance} if performance else {}),
            tmp_path / "metrics.json",
        )
        return prediction_text(pd.DataFrame([row]), tmp_path, "OUT").splitlines()

    return lines


def test_a_score_its_worth_and_where_to_look(told):
    assert told(ROW, WORTH) == [
        "score: predicted probability of an IDH mutation, the mean of 2 networks (score_1 to score_2, one per split); "
        "score_sd: their standard deviation.",
        "Performance in the run's own test (5 patients, 2 IDH-mutant; each tested by a network that had not seen "
        "them): "
        "AUC 0.75 (95 % CI 0.50 to 0.95). Calibration slope 0.40 (95 % CI 0.20 to 0.60); 1 is ideal, here scores are "
        "too "
        "extreme (overconfident).",
        "Files in OUT: table predictions.csv, image a.png. Look at the image before using a score.",
        RESEARCH,
    ]


@pytest.mark.parametrize(
    ("slope", "said"),
    [((2.0, 1.2, 3.0), "not extreme enough"), ((0.9, 0.5, 1.4), "1 is ideal."), ((0.9, None, None), "1 is ideal.")],
)
def test_calibration_is_judged_by_its_interval(told, slope, said):
    calibration = {"before": {"slope": estimate(*slope)}}
    line = told(ROW, WORTH | {"calibration": calibration})[1]
    assert said in line and "too extreme" not in line


def test_what_is_not_known_of_a_run_is_said(told):
    line = told(ROW, None)[1]
    assert line.startswith("The performance of these networks is not available yet")
    assert "compute it with: python -m glioma_idh.report" in line
    reason = "cannot be computed, because there is but one class"
    none = {"value": None, "low": None, "high": None, "reason": reason}
    performance = WORTH | {"auc": {"within_splits": none}, "calibration": {"before": {"slope": none}}}
    assert told(ROW, performance)[1].endswith(f"the AUC {reason}. The calibration slope {reason}.")


def test_masks_have_a_file_and_a_dice(told):
    lines = told(ROW | {"predicted_ml": 8.0}, WORTH)
    assert lines[2].startswith("Lesion segmentation in the same test, compared with the reference masks: mean Dice ")
    assert "image a.png, lesion mask a_lesion.nii.gz." in lines[3]
    alone = told({"subject": "a", "predicted_ml": 8.0}, LESIONS_ALONE)
    assert len(alone) == 3 and alone[0].startswith("Lesion segmentation in the same test") and "score:" not in alone[0]


def test_one_network_and_several_patients(tmp_path):
    write_json({"performance": WORTH}, tmp_path / "metrics.json")
    table = pd.DataFrame({"subject": ["a", "b"], "score_1": 0.2, "score": 0.2, "score_sd": None})
    text = prediction_text(table, tmp_path, "OUT")
    assert text.startswith("score: predicted probability of an IDH mutation (one network).\n")
    assert "image SUBJECT.png" in text
    with pytest.raises(InputError, match="expected the folder of one run; found no such folder"):
        prediction_text(table, tmp_path / "nowhere", "OUT")
