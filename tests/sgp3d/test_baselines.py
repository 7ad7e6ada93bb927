"""Answers without a network."""

import numpy as np
import pandas as pd
import pytest

from glioma_idh.cohorts import read_cohort
from glioma_idh.sgp3d.baselines import THRESHOLDS, baselines_of_run, grade_scores, simple_dice, simple_mask_scores
from tests.conftest import save
from tests.sgp3d.conftest import GRID


def one_split(subjects, num_test: int) -> pd.DataFrame:
    parts = ["test"] * num_test + ["train"] * (len(subjects) - num_test)
    return pd.DataFrame({"repeat": 0, "fold": 0, "subject": list(subjects), "part": parts})


def graded(grade: list[str], idh: list[int]) -> pd.DataFrame:
    subjects = [f"s{number}" for number in range(len(grade))]
    return pd.DataFrame({"subject": subjects, "patient": subjects, "idh": idh, "grade": grade})


def test_grade_alone_on_the_paper_s_cohort():
    """53 of 57 HGG are wild-type and 52 of 64 LGG are mutant."""
    cohort = pd.read_csv("data_manifests/brats2020_tcga.csv", dtype=str)
    cohort = cohort[cohort["idh"].notna()].astype({"idh": int})
    scores = grade_scores(cohort, one_split(cohort["subject"], len(cohort)))
    assert scores["accuracy"] == pytest.approx((53 + 52) / 121)
    assert scores["auc"] == pytest.approx(0.872, abs=0.0005)


def test_grades_of_who_are_ranked():
    scores = grade_scores(graded(["2", "3", "4", "4"], [1, 0, 1, 0]), one_split(["s0", "s1", "s2", "s3"], 4))
    assert scores["auc"] == pytest.approx((1 + 1 + 0 + 0.5) / 4) and scores["accuracy"] == 0.5


@pytest.mark.parametrize("grade", [["LGG", "HGG", ""], ["LGG", "3", "4"], ["4", "4", "4"]])
def test_without_a_grade_of_one_kind_there_is_no_such_row(grade):
    assert grade_scores(graded(grade, [1, 0, 0]), one_split(["s0", "s1", "s2"], 3)) == {}


def test_dice_of_simple_masks_by_hand(make_four):
    cohort, _ = read_cohort(str(make_four(num_subjects=2)))
    whole, *above = simple_dice(cohort.iloc[0])
    lesion, brain = 7 * 6 * 5, 20 * 16 * 16
    assert whole == pytest.approx(2 * lesion / (lesion + np.prod(GRID)))
    assert max(above) == 1  # the lesion shines by 80 in noise of 3
    assert above[0] == pytest.approx(2 * lesion / (lesion + brain), rel=0.2)


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
