"""Answers without a network."""

import numpy as np
import pandas as pd
import pytest

from glioma_idh import cohorts
from glioma_idh.sgp3d import baselines
from glioma_idh.sgp3d.baselines import (
    THRESHOLDS,
    _count_above,
    baselines_of_run,
    clinical_scores,
    simple_dice,
    simple_mask_scores,
)
from tests.conftest import save
from tests.sgp3d.conftest import GRID


def one_split(subjects, num_test: int) -> pd.DataFrame:
    parts = ["test"] * num_test + ["train"] * (len(subjects) - num_test)
    return pd.DataFrame({"repeat": 0, "split": 0, "subject": list(subjects), "part": parts})


def test_grade_alone_on_the_paper_s_cohort():
    """53 of 57 HGG are wild-type and 52 of 64 LGG are mutant; half of the patients test what the others teach.

    A regression on grade alone calls all LGG mutant and all HGG wild-type in either half.
    """
    cohort = pd.read_csv("data_manifests/brats2020_tcga.csv", dtype=str)
    cohort = cohort[cohort["idh"].notna()].astype({"idh": int}).assign(grade=lambda table: table["brats_grade"])
    halves = [cohort["subject"].iloc[half::2] for half in (0, 1)]
    tests = [set(half) for half in halves]
    parts = [
        cohort[["subject"]].assign(repeat=0, split=split, part=np.where(cohort["subject"].isin(test), "test", "train"))
        for split, test in enumerate(tests)
    ]
    scores = clinical_scores(cohort, pd.concat(parts))["grade alone"]
    assert scores["accuracy"] == pytest.approx((53 + 52) / 121)
    assert scores["sensitivity"] == pytest.approx(52 / 56) and scores["specificity"] == pytest.approx(53 / 65)
    won, pairs = 0, 0
    for half in halves:
        low, idh = (cohort.set_index("subject").loc[half, name] for name in ("grade", "idh"))
        wins = np.subtract.outer((low == "LGG")[idh == 1].to_numpy(int), (low == "LGG")[idh == 0].to_numpy(int))
        won, pairs = won + ((wins + 1) / 2).sum(), pairs + wins.size
    assert scores["auc"] == pytest.approx(won / pairs) and won / pairs == pytest.approx(0.872, abs=0.02)


def clinical(**columns) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A cohort of 4 subjects who are tested and 4 of the same kind who teach, s4 to s7; every other one is mutant."""
    subjects = [f"s{number}" for number in range(8)]
    cohort = pd.DataFrame({"subject": subjects, "patient": subjects, "idh": [1, 0] * 4, **columns})
    return cohort, one_split(subjects, 4)


def test_age_volume_and_grade_alone_by_hand():
    """What they teach: mutants are younger, their lesions larger, their grade lower."""
    cohort, splits = clinical(
        age_years=[30, 60, 50, 40, 30, 60, 32, 58],  # of four pairs 30 and 50 against 60 and 40 win three
        lesion_ml=[9, 5, 9, 9, 20, 2, 21, 3],  # two wins and two ties
        grade=["2", "3", "4", "2", "2", "4", "2", "4"],  # a grade that nobody taught is between: 1 + 1/2 + 0 + 0
    )
    scores = clinical_scores(cohort, splits)
    assert {name: of["auc"] for name, of in scores.items()} == {
        "age alone": 3 / 4,
        "lesion volume alone": 3 / 4,
        "grade alone": 1.5 / 4,
    }
    # s0 and s1 are younger or older than 45, in the middle of those who teach; s2 and s3 on the wrong side
    assert scores["age alone"]["accuracy"] == 0.5 and scores["age alone"]["num_patients"] == 4


def test_the_auc_of_a_baseline_compares_patients_of_one_split():
    """In each split all pairs are in order; an older mutant of the second scores below a younger wild-type."""
    cohort, first = clinical(age_years=[30, 40, 31, 41, 60, 70, 61, 71])
    second = first.assign(split=1, part=first["part"].map({"train": "test", "test": "train"}))
    scores = clinical_scores(cohort, pd.concat([first, second]))
    assert scores["age alone"]["auc"] == 1
    assert (
        scores["age alone"]["accuracy"] == 0.5
    )  # all of the first fold are predicted mutant, all of the second wild-type


@pytest.mark.parametrize(
    ("columns", "names"),
    [
        ({"grade": [""] * 8}, set()),
        ({"grade": ["4"] * 8}, set()),
        ({"grade": ["LGG", "HGG"] * 4, "age_years": [40] * 8}, {"grade alone"}),
        ({"age_years": [40, 50] * 4, "lesion_ml": [3, 4] * 4}, {"age alone", "lesion volume alone"}),
    ],
)
def test_what_the_cohort_does_not_tell_has_no_row(columns, names):
    assert set(clinical_scores(*clinical(**columns))) == names


def test_dice_of_simple_masks_by_hand(make_four):
    cohort, _ = cohorts.read(str(make_four(num_subjects=2)))
    whole, *above = simple_dice(cohort.iloc[0])
    lesion, brain = 7 * 6 * 5, 20 * 16 * 16
    assert whole == pytest.approx(2 * lesion / (lesion + np.prod(GRID)))
    assert max(above) == 1  # the lesion shines by 80 in noise of 3
    assert above[0] == pytest.approx(2 * lesion / (lesion + brain))  # all of the brain


def test_a_voxel_is_above_a_threshold_only_if_it_exceeds_it():
    counts = dict(zip(THRESHOLDS.round(1), _count_above(np.array([0.5, -0.1, 0.0, 0.1, 0.1])), strict=True))
    assert (counts[-0.2], counts[0.0], counts[0.1], counts[0.4], counts[0.5]) == (5, 3, 1, 1, 0)


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
    splits = pd.DataFrame(rows, columns=["repeat", "split", "subject", "part"])
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
    cohort, _ = cohorts.read(str(make_four(num_subjects=4, num_mutant=2)))
    cohort = cohort.astype({"idh": int}).assign(grade=["LGG", "LGG", "HGG", "HGG"], idh=[1, 0, 0, 1])
    cohort.to_csv(tmp_path / "cohort.csv", index=False)
    one_split(cohort["subject"], 4).assign(part=["test", "train"] * 2).to_csv(tmp_path / "splits.csv", index=False)
    masks = {"mask of the whole image", "FLAIR above a threshold"}
    assert baselines_of_run(tmp_path, "both").keys() == masks | {"grade alone"}
    assert baselines_of_run(tmp_path, "segmentation").keys() == masks
    assert baselines_of_run(tmp_path, "random-masks").keys() == {"grade alone"}
