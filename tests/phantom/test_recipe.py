"""Labels, latents and the best possible score."""

import numpy as np
import pandas
import pytest
from scipy.stats import rankdata

from glioma_idh.errors import InputError
from glioma_idh.phantom import PLANTED_AUC, SEQUENCES, planted_scores
from glioma_idh.phantom.recipe import (
    DEFAULT_SEED,
    PhantomRecipe,
    check_sequences,
    draw_truth,
    make_recipe,
    planted_shift,
)


def area_under_curve(truth, score):
    """Share of (mutant, wild-type) pairs that the score puts in the right order, from rank sums."""
    mutant = np.asarray(truth) == 1
    m, n = mutant.sum(), (~mutant).sum()
    return (rankdata(score)[mutant].sum() - m * (m + 1) / 2) / (m * n)


def test_the_default_cohort_is_83_wild_type_and_17_mutant():
    truth = draw_truth(PhantomRecipe())
    assert truth["idh"].value_counts().to_dict() == {0: 83, 1: 17}
    assert list(truth["subject"][[0, 99]]) == ["phantom-001", "phantom-100"]
    assert truth["subject"].is_unique


def test_a_huge_draw_has_the_planted_auc():
    truth = draw_truth(PhantomRecipe(num_subjects=24000, num_mutant=12000))
    for sequence, planted in PLANTED_AUC.items():
        assert abs(area_under_curve(truth["idh"], truth[f"z_{sequence}"]) - planted) < 0.01, sequence


def test_latents_are_unit_normals_independent_within_a_group():
    truth = draw_truth(PhantomRecipe(num_subjects=20000, num_mutant=0))
    latents = truth[[f"z_{name}" for name in SEQUENCES]].to_numpy()
    assert np.allclose(latents.mean(axis=0), 0, atol=0.03)
    assert np.allclose(np.cov(latents.T), np.eye(6), atol=0.04)


def test_the_shift_of_known_areas():
    assert planted_shift("adc") == 0
    assert planted_shift("rcbv") == pytest.approx(1.5278, abs=1e-3)  # sqrt(2) * 1.0803


def test_planted_scores_are_the_sum_of_shift_times_latent(tmp_path):
    truth = {"subject": ["001", "2"], "idh": [0, 1], "z_t1": [1.0, -2.0], "z_rcbv": [0.5, 4.0], "z_adc": [9.0, -9.0]}
    truth |= {"d_t1": [0.5, 0.5], "d_rcbv": [2.0, 2.0], "d_adc": [0.0, 0.0]}
    pandas.DataFrame(truth).to_csv(tmp_path / "truth.csv", index=False)
    assert planted_scores(tmp_path / "truth.csv", ["t1"]).to_dict() == {"001": 0.5, "2": -1.0}
    assert planted_scores(tmp_path / "truth.csv", ["rcbv", "t1", "adc"]).to_dict() == {"001": 1.5, "2": 7.0}
    assert (planted_scores(tmp_path / "truth.csv", "adc") == 0).all()


def test_planted_scores_rank_as_the_log_likelihood_ratio(small_phantom):
    truth = pandas.read_csv(small_phantom / "truth.csv")
    ratio = sum(truth[f"z_{s}"] ** 2 - (truth[f"z_{s}"] - planted_shift(s)) ** 2 for s in ("t2", "flair")) / 2
    scores = planted_scores(small_phantom / "truth.csv", ("t2", "flair")).to_numpy()
    assert np.ptp(scores - ratio) < 1e-9


def test_sequences_come_in_the_order_of_the_package():
    assert check_sequences(["adc", "t1"]) == ("t1", "adc")
    assert check_sequences("rcbv") == ("rcbv",)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ((10, 11, 0, 2.0), "num_mutant from 0 to num_subjects = 10; found 11"),
        ((10, -1, 0, 2.0), "found -1"),
        ((0, 0, 0, 2.0), "num_subjects of at least 1; found 0"),
        ((10, 2, -3, 2.0), "seed of 0 or more; found -3"),
        ((10, 2, 0, 0.1), "spacing_mm from 1 to 6; found 0.1"),
    ],
)
def test_parameters_that_do_not_fit(parameters, words):
    with pytest.raises(InputError, match=words):
        make_recipe(*parameters)


@pytest.mark.parametrize("sequences", [["t1", "t1ce"], []])
def test_sequences_that_are_none(sequences):
    with pytest.raises(InputError, match="sequences out of t1 t1gd t2 flair rcbv adc"):
        check_sequences(sequences)


def test_the_default_seed_is_the_first_that_realises_the_planted_aucs():
    def strays(seed):
        truth = draw_truth(make_recipe(100, 17, seed, 2.0))
        areas = {name: area_under_curve(truth["idh"], truth[f"z_{name}"]) for name in PLANTED_AUC}
        return max(abs(areas[name] - PLANTED_AUC[name]) for name in PLANTED_AUC)

    assert strays(DEFAULT_SEED) < 0.05
    assert min(strays(seed) for seed in range(DEFAULT_SEED)) >= 0.05
