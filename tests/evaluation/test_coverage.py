"""Simulations whose truth is known: bias of baselines, coverage of intervals, size of paired tests.

GLIOMA_IDH_DRAWS=2000 draws ten times as often, within an hour, and leaves no room for chance at the ends of a range.
"""

import os

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from glioma_idh.evaluation.auc import auc_within_splits, logit_interval
from glioma_idh.evaluation.baselines import baseline_predictions
from glioma_idh.evaluation.comparisons import compare_auc

pytestmark = pytest.mark.slow
SCHEMES = [("folds", 56, 65), ("folds", 17, 83), ("hold-outs", 17, 83)]
HOLD_OUTS, TESTED = 10, 20
DRAWS = int(os.environ.get("GLIOMA_IDH_DRAWS", 200))
ROOM = 0 if DRAWS >= 1000 else 3 * np.sqrt(0.05 * 0.95 / DRAWS)  # three standard errors of a share of 5 %
NOISE = 0.5  # standard deviation of what training adds to a patient's score in one split; between patients it is 1


def draw_tests(truth, random, scheme):
    """The test sets, as places of patients: five stratified folds, or hold-outs of 20 with at least 5 mutants."""
    mutants, wild_types = (random.permutation(np.flatnonzero(truth == label)) for label in (1, 0))
    if scheme == "folds":
        return [np.concatenate([mutants[fold::5], wild_types[fold::5]]) for fold in range(5)]
    tests = []
    for size in random.integers(5, 11, size=HOLD_OUTS):
        drawn = random.permutation(mutants)[:size], random.permutation(wild_types)[: TESTED - size]
        tests.append(np.concatenate(drawn))
    return tests


def table_of(tests, truth, score):
    """A predictions table; `score` is a function of the patients' places in one split."""
    rows = [
        pd.DataFrame(
            {"patient": test, "repeat": 0, "split": fold, "truth": truth[test], "score": norm.cdf(score(test))}
        )
        for fold, test in enumerate(tests)
    ]
    return pd.concat(rows, ignore_index=True)


def network(latent, random):
    """Scores of one network a split: the patient's latent, noise, and the split's own offset."""
    return lambda test: (latent[test] + NOISE * random.normal(size=len(test)) + random.normal()) / 3


@pytest.mark.parametrize("levels", [2, 3, 10])
@pytest.mark.parametrize("scheme, mutants, wild_types", [SCHEMES[0], SCHEMES[2]])
def test_a_marker_that_knows_nothing_has_an_auc_of_one_half(scheme, mutants, wild_types, levels):
    random, truth, aucs = np.random.default_rng(levels), np.repeat([1, 0], [mutants, wild_types]), []
    names = np.arange(len(truth))
    cohort = pd.DataFrame({"subject": names, "patient": names, "idh": truth})
    for _ in range(DRAWS):
        tests = draw_tests(truth, random, scheme)[: 5 if scheme == "folds" else 2]
        parts = [np.where(np.isin(names, test), "test", "train") for test in tests]
        splits = [
            pd.DataFrame({"subject": names, "repeat": 0, "split": k, "part": part}) for k, part in enumerate(parts)
        ]
        marker = cohort.assign(grade=random.integers(levels, size=len(truth)).astype(str))
        of_grade = baseline_predictions(marker, pd.concat(splits), ["grade"])["grade"].predictions
        aucs.append(auc_within_splits(of_grade).value)
    error = np.std(aucs, ddof=1) / np.sqrt(len(aucs))
    print(f"{scheme}, {levels} levels: {np.mean(aucs):.4f}, standard error {error:.4f}")
    assert abs(np.mean(aucs) - 0.5) < 3 * error


@pytest.mark.parametrize("auc", [0.7, 0.86, 0.95])
@pytest.mark.parametrize("scheme, mutants, wild_types", SCHEMES)
def test_intervals_hold_the_truth(scheme, mutants, wild_types, auc):
    random, truth, held = np.random.default_rng(0), np.repeat([1, 0], [mutants, wild_types]), []
    apart = norm.ppf(auc) * np.sqrt(2 * (1 + NOISE**2))
    for _ in range(DRAWS):
        latent = apart * truth + random.normal(size=len(truth))
        of = auc_within_splits(table_of(draw_tests(truth, random, scheme), truth, network(latent, random)))
        low, high = logit_interval(of.value, of.standard_error)
        held.append(low <= auc <= high)
    print(f"{scheme} of {mutants}/{wild_types}, AUC {auc}: {np.mean(held):.3f}")
    assert auc == 0.95 or 0.93 - ROOM <= np.mean(held) <= 0.97 + ROOM


@pytest.mark.parametrize("scheme, mutants, wild_types", SCHEMES)
def test_a_paired_test_of_equals_rejects_one_in_twenty(scheme, mutants, wild_types):
    random, truth, p = np.random.default_rng(0), np.repeat([1, 0], [mutants, wild_types]), []
    for _ in range(DRAWS):
        shared = 1.5 * truth + random.normal(size=len(truth))
        tests = draw_tests(truth, random, scheme)
        own = [shared + 0.7 * random.normal(size=len(truth)) for _ in range(2)]
        p.append(compare_auc(*(table_of(tests, truth, network(latent, random)).assign(subject="") for latent in own)).p)
    print(f"{scheme} of {mutants}/{wild_types}: p below 0.05 in {np.mean(np.less(p, 0.05)):.3f}")
    assert 0.03 - ROOM <= np.mean(np.less(p, 0.05)) <= 0.07 + ROOM
