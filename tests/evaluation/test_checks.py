"""Tables that cannot become numbers say whose row is wrong."""

import numpy as np
import pandas as pd
import pytest

from glioma_idh.evaluation.checks import because, check_predictions, check_scores

PREDICTIONS = pd.DataFrame(
    {
        "subject": ["a", "b", "c", "c2"],
        "patient": ["a", "b", "c", "c"],
        "repeat": 0,
        "fold": [0, 0, 1, 1],
        "truth": [1, 0, 1, 1],
        "score": [0.9, 0.0, 1.0, 0.4],
    }
)


def test_a_good_table_passes():
    check_predictions(PREDICTIONS)
    check_scores([True, False], np.float32([0, 1]))
    assert because("nobody came") == "cannot be computed, because nobody came"


@pytest.mark.parametrize(
    "wrong, message",
    [
        (PREDICTIONS.assign(score=[0.9, 1.2, 1.0, -0.1]), "score from 0 to 1; found 1.2 for b, 2 such"),
        (PREDICTIONS.assign(score=[0.9, 0.1, np.nan, 0.1]), "score from 0 to 1; found nan for c, 1 such"),
        (PREDICTIONS.assign(score=[0.9, 0.1, np.inf, 0.1]), "found inf for c"),
        (PREDICTIONS.assign(truth=[1, np.nan, 1, 1]), "truth of 0 or 1; found nan for b"),
        (PREDICTIONS.assign(truth=[2, 0, 1, 1]), "truth of 0 or 1; found 2.0 for a"),
        (PREDICTIONS.assign(truth=[1, 0, 0, 1]), "one truth a patient; found 0 and 1 of c"),
        (PREDICTIONS.assign(subject=["a", "a", "c", "c2"]), "found a twice in repeat 0, fold 0"),
        (PREDICTIONS.drop(columns="fold"), "expected the column fold in the predictions"),
        (PREDICTIONS.iloc[:0], "expected rows in the predictions; found none"),
    ],
)
def test_a_wrong_table_says_what_is_wrong(wrong, message):
    with pytest.raises(ValueError, match=message):
        check_predictions(wrong)


@pytest.mark.parametrize("truth, score", [([1, 0], [0.5]), ([], []), ([[1, 0]], [[0.5, 0.5]])])
def test_shapes_must_agree(truth, score):
    with pytest.raises(ValueError, match="one score a truth"):
        check_scores(truth, score)
