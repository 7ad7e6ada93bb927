"""Answers without a network."""

import numpy as np
import pandas as pd
import pytest

from glioma_idh.cohorts import read_cohort
from glioma_idh.cohorts.manifests import read_manifest
from glioma_idh.sgp3d import baselines
from glioma_idh.sgp3d.baselines import (
    THRESHOLDS,
    _count_above,
    baselines_of_run,
    grade_scores,
    simple_dice,
    simple_mask_scores,
)
from tests.conftest import save
from tests.sgp3d.conftest import GRID


def one_split(subjects, num_test: int) -> pd.DataFrame:
    parts = ["test"] * num_test + ["train"] * (len(subjects) - num_test)
    return pd.DataFrame({"repeat": 0, "fold": 0, "subject": list(subjects), "part": parts})


def graded(grade: list[str], idh: list[int]) -> pd.DataFrame:
    subjects = [f"s{number}" for number in range(len(grade))]
    return pd.DataFrame({"subject": subjects, "patient": subjects, "idh": idh, "grade": grade})


def test_grade_alone_on_the_paper_s_cohort():
    """53 of 57 HGG are wild-type and 52 of 64 LGG are mutant; of grades 2, 3 and 4 24 of 27, 27 of 36 and 4 of 57."""
    cohort = read_manifest("brats2020_tcga").query("idh != ''").astype({"idh": int})
    split = one_split(cohort["subject"], len(cohort))
    scores = grade_scores(cohort.assign(grade=cohort["brats_grade"]), split)
    assert scores["accuracy"] == pytest.approx((53 + 52) / 121)
    assert scores["auc"] == pytest.approx(0.872, abs=0.0005)
    scores = grade_scores(cohort, split)  # the one mutant without a grade has the most frequent one, 4
    higher = 24 * (9 + 53) + 27 * 53 + (24 * 3 + 27 * 9 + 5 * 53) / 2
    assert scores["auc"] == pytest.approx(higher / (56 * 65)) and scores["auc"] == pytest.approx(0.882, abs=0.0005)
    assert scores["accuracy"] == pytest.approx((24 + 27 + 53) / 121)


def test_grades_of_who_are_ranked():
    scores = grade_scores(graded(["2", "3", "4", "4"], [1, 0, 1, 0]), one_split(["s0", "s1", "s2", "s3"], 4))
    assert scores["auc"] == pytest.approx((1 + 1 + 0 + 0.5) / 4) and scores["accuracy"] == 0.5


def test_who_has_no_grade_has_the_most_frequent_one():
    scores = grade_scores(graded(["2", "", "4", "4"], [1, 0, 0, 0]), one_split(["s0", "s1", "s2", "s3"], 3))
    assert scores["auc"] == 1 and scores["accuracy"] == 1  # of s0, s1 as 4, and s2


@pytest.mark.parametrize("grade", [["LGG", "3", "4"], ["4", "4", "4"], ["4", "", "4"], ["", "", ""]])
def test_without_a_grade_of_one_kind_there_is_no_such_row(grade):
    assert grade_scores(graded(grade, [1, 0, 0]), one_split(["s0", "s1", "s2"], 3)) == {}


def test_dice_of_simple_masks_by_hand(make_four):
    cohort, _ = read_cohort(str(make_four(num_subjects=2)))
    whole, *above = simple_dice(cohort.iloc[0])
    lesion, brain = 7 * 6 * 5, 20 * 16 * 16
    assert whole == pytest.approx(2 * lesion / (lesion + np.prod(GRID)))
    assert max(above) == 1  # the lesion shines by 80 in noise of 3
    assert above[0] == pytest.approx(2 * lesion / (lesion + brain))  # all of the brain


def test_a_voxel_is_above_a_threshold_only_if_it_exceeds_it():
    counts = dict(zip(THRESHOLDS.round(1), _count_above(np.array([0.5, -0.1, 0.0, 0.1, 0.1])), strict=True))
    assert (counts[-0.2], counts[0.0], counts[0.1], counts[0.4], counts[0.5]) == (5, 3, 1, 1, 0)


def test_grades_of_subjects_who_are_only_trained_on_play_no_part():
    cohort = graded(["2", "4", "3", ""], [1, 0, 0, 1])
    scores = grade_scores(cohort, one_split(["s0", "s1", "s2", "s3"], 2))
    assert scores["auc"] == 1 and scores["accuracy"] == 1 and scores["sensitivity"] == 1


def test_simple_masks_are_means_over_the_tested_with_each_split_s_own_threshold(monkeypatch):
    """Thresholds 0 and 1 alone differ from 0; whole images by hand."""
    table = {"a": (0.1, 0.5, 0.2), "b": (0.2, 0.9, 0.1), "c": (0.3, 0.3, 0.8), "d": (0.7, 0.2, 1.0)}

    def dice(row):
        whole, first, second = table[row["subject"]]
        return [whole, first, second, *[0.0] * (len(THRESHOLDS) - 2)]

    monkeypatch.setattr(baselines, "simple_dice", dice)
    cohort = pd.DataFrame({"subject": ["d", "c", "b", "a"]})
    rows = [(0, 0, "a", "test"), (0, 0, "c", "train"), (0, 0, "b", "train"), (0, 0, "d", "train")]
    rows += [(0, 1, "c", "test"), (0, 1, "a", "train"), (0, 1, "b", "train")]
    rows += [(1, 0, "a", "test"), (1, 0, "b", "train")]
    splits = pd.DataFrame(rows, columns=["repeat", "fold", "subject", "part"])
    scores = simple_mask_scores(cohort, splits)
    assert scores["mask of the whole image"]["dice"] == pytest.approx((0.1 + 0.3) / 2)
    # trained on b, c, d: 1.4 / 3 against 1.9 / 3, the second; on a, b: the first; on b: the first
    assert scores["FLAIR above a threshold"]["dice"] == pytest.approx(((0.2 + 0.5) / 2 + 0.3) / 2)


def test_the_threshold_is_chosen_on_training_subjects_alone(tmp_path):
    """A test subject whose lesion asks for another threshold gets the training subjects' one."""
    rng, rows = np.random.default_rng(0), []
    lesion = np.zeros(GRID)
    lesion[4:12, 4:12, 4:12] = 1
    for subject, scale in {"odd": 0.5, "a": 1, "b": 1}.items():
        flair = scale * (np.where(rng.random(GRID) < 0.5, -0.5, 0.5) + lesion * 1.5)  # reads as z-scores
        row = {"subject": subject, "flair": save(tmp_path / f"{subject}.nii.gz", flair, np.eye(4))}
        rows.append(row | {"lesion_mask": save(tmp_path / f"{subject}_mask.nii.gz", lesion, np.eye(4))})
    cohort = pd.DataFrame(rows)
    scores = simple_mask_scores(cohort, one_split(cohort["subject"], 1))
    chosen = next(turn for turn, threshold in enumerate(THRESHOLDS) if threshold > 0.45)  # between the two tissues
    odd, a = (simple_dice(row)[1:] for _, row in cohort.head(2).iterrows())
    assert scores["FLAIR above a threshold"]["dice"] == odd[chosen] < max(odd) == max(a) == a[chosen] == 1


def test_a_run_has_the_rows_of_what_it_learns(make_four, tmp_path):
    cohort, _ = read_cohort(str(make_four(num_subjects=4, num_mutant=2)))
    cohort = cohort.astype({"idh": int}).assign(grade=["LGG", "LGG", "HGG", "HGG"])
    cohort.to_csv(tmp_path / "cohort.csv", index=False)
    one_split(cohort["subject"], 4).assign(part=["test", "train"] * 2).to_csv(tmp_path / "splits.csv", index=False)
    masks = {"mask of the whole image", "FLAIR above a threshold"}
    assert baselines_of_run(tmp_path, "both").keys() == masks | {"grade alone"}
    assert baselines_of_run(tmp_path, "segmentation").keys() == masks
    assert baselines_of_run(tmp_path, "random-masks").keys() == {"grade alone"}
