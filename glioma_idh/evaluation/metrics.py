"""Scores of a predictions table: per split as the papers print them, and pooled per patient."""

import numpy as np
import pandas as pd
from sklearn import metrics

from glioma_idh.evaluation.auc import SPLIT, auc_within_splits, logit_interval


def classification_scores(truth: np.ndarray, score: np.ndarray) -> dict[str, float]:
    """Every score of predicted probabilities; a patient is predicted mutant from 0.5 on.

    A score that is added here stands per split, with mean and standard deviation, and pooled in a run's `metrics.json`;
    its printed name goes to `reporting/names.py`. `ccel` is the categorical cross-entropy, probabilities clipped at
    1e-7 as Keras clips probabilities (the learning curves are computed from logits, unclipped); `brier` the mean
    squared error of the score; `average_precision` the area under the precision-recall curve in steps;
    `always_wild_type` the accuracy of that answer. What needs a class or prediction that is missing is NaN.
    """
    truth, score = np.asarray(truth), np.asarray(score, dtype=np.float64)
    called = score >= 0.5
    both = 0 < truth.sum() < len(truth)
    scores = {
        "accuracy": metrics.accuracy_score(truth, called),
        "ccel": metrics.log_loss(truth, np.clip(score, 1e-7, 1 - 1e-7), labels=[0, 1]),
        "brier": np.mean((score - truth) ** 2),
        "sensitivity": metrics.recall_score(truth, called, pos_label=1, zero_division=np.nan),
        "specificity": metrics.recall_score(truth, called, pos_label=0, zero_division=np.nan),
        "auc": metrics.roc_auc_score(truth, score) if both else np.nan,
        "average_precision": metrics.average_precision_score(truth, score) if both else np.nan,
        "ppv": metrics.precision_score(truth, called, pos_label=1, zero_division=np.nan),
        "npv": metrics.precision_score(truth, called, pos_label=0, zero_division=np.nan),
        "always_wild_type": np.mean(truth == 0),
    }
    return {name: float(value) for name, value in scores.items()}


def scores_by_split(predictions: pd.DataFrame) -> pd.DataFrame:
    """One row a split: `repeat, split, num_test`, and the scores on its test set; `dice` is the mean over its subjects.

    Without a single `score` (a network for segmentation alone) there are no classification scores; `dice` alike.
    """
    rows = []
    for (repeat, number), split in predictions.groupby(SPLIT):
        row: dict[str, float] = {"repeat": int(repeat), "split": int(number), "num_test": len(split)}
        if has_values(predictions, "score"):
            row |= classification_scores(split["truth"], split["score"])
        rows.append(row | ({"dice": float(split["dice"].mean())} if has_values(predictions, "dice") else {}))
    return pd.DataFrame(rows)


def has_values(table: pd.DataFrame, column: str) -> bool:
    """Whether a table has this column, and anything in it."""
    return column in table and bool(table[column].notna().any())


def pool_patients(predictions: pd.DataFrame) -> pd.DataFrame:
    """One row a tested patient, `patient, truth, score`: the mean score over the patient's splits and scans."""
    return predictions.groupby("patient", as_index=False).agg(truth=("truth", "max"), score=("score", "mean"))


def best_possible_auc(predictions: pd.DataFrame, planted: pd.Series) -> tuple[list[float], float]:
    """AUC of each split, and within splits, of the planted score by subject, which no network exceeds but by chance."""
    ideal, per_split = predictions.assign(score=predictions["subject"].map(planted)), []
    for _, split in ideal.groupby(SPLIT):
        both = split["truth"].nunique() == 2
        per_split.append(float(metrics.roc_auc_score(split["truth"], split["score"])) if both else float("nan"))
    return per_split, auc_within_splits(ideal).value


def pooled_scores(predictions: pd.DataFrame) -> dict[str, float]:
    """The scores of all tested patients together, `num_patients`, and `dice`, the mean over the subjects."""
    pooled = pool_patients(predictions)
    scores: dict[str, float] = {"num_patients": len(pooled)}
    if has_values(predictions, "score"):
        scores |= classification_scores(pooled["truth"], pooled["score"])
    if has_values(predictions, "dice"):
        scores["dice"] = float(predictions.groupby("subject")["dice"].mean().mean())
    return scores


def summarise(predictions: pd.DataFrame, planted: pd.Series | None = None) -> dict:
    """All scores of a run; `planted`, of a synthetic cohort, is the best possible score by subject.

    `per_split`; `mean` and `sd` (of a sample) over the splits; `within_splits`, empty without a score: of pairs tested
    by the same network `auc`, `auc_interval` (95 %) and `num_pairs`; `pooled`, one mean score per patient.
    """
    by_split, within = scores_by_split(predictions), {}
    if has_values(predictions, "score"):
        auc = auc_within_splits(predictions)
        within = {"auc": auc.value, "auc_interval": logit_interval(auc.value, auc.standard_error)}
        within["num_pairs"] = auc.num_pairs
        if planted is not None:
            by_split["best_possible_auc"], within["best_possible_auc"] = best_possible_auc(predictions, planted)
    numbers, pooled = by_split.drop(columns=[*SPLIT, "num_test"]), pooled_scores(predictions)
    spread = {"mean": numbers.mean().to_dict(), "sd": numbers.std(ddof=1).to_dict()}
    return {"per_split": by_split.to_dict("records")} | spread | {"within_splits": within, "pooled": pooled}
