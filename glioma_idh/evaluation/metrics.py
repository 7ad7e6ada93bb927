"""Compute classification scores of a predictions table: per split, as in the papers, and pooled over all patients."""

import numpy as np
import pandas as pd
from sklearn import metrics

from glioma_idh.evaluation.auc import SPLIT, auc_within_splits, logit_interval


def classification_scores(truth: np.ndarray, score: np.ndarray) -> dict[str, float]:
    """Compute the classification scores of predicted probabilities. A score of 0.5 or more is predicted mutant.

    Scores added here appear in `metrics.json` per split (with mean and standard deviation) and pooled; add their
    printed names in `reporting/names.py`.

    Returns:
        Scores by name, NaN if a class or prediction that they need is missing. `ccel`: categorical cross-entropy, with
        probabilities clipped at 1e-7 as in Keras (the learning curves are computed from logits, without clipping);
        `brier`: mean squared error of the score; `average_precision`: area under the precision-recall curve without
        interpolation; `always_wild_type`: accuracy of predicting all patients as wild-type.
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
    """Compute the scores of every test set: one row per split with `repeat, split, num_test` and the scores.

    `dice` is the mean over the subjects. Without values in the column `score` (a network for segmentation only) there
    are no classification scores; the same is true of `dice`.
    """
    rows = []
    for (repeat, number), split in predictions.groupby(SPLIT):
        row: dict[str, float] = {"repeat": int(repeat), "split": int(number), "num_test": len(split)}
        if has_values(predictions, "score"):
            row |= classification_scores(split["truth"], split["score"])
        rows.append(row | ({"dice": float(split["dice"].mean())} if has_values(predictions, "dice") else {}))
    return pd.DataFrame(rows)


def has_values(table: pd.DataFrame, column: str) -> bool:
    """Return whether a table has values in this column."""
    return column in table and bool(table[column].notna().any())


def pool_patients(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return one row per tested patient: `patient, truth, score`, the mean score over all splits and visits."""
    return predictions.groupby("patient", as_index=False).agg(truth=("truth", "max"), score=("score", "mean"))


def best_possible_auc(predictions: pd.DataFrame, planted: pd.Series) -> tuple[list[float], float]:
    """Return the AUC of the planted scores (`phantom.planted_scores`, by subject): per split, and within splits.

    A network exceeds it only by chance.
    """
    ideal, per_split = predictions.assign(score=predictions["subject"].map(planted)), []
    for _, split in ideal.groupby(SPLIT):
        both = split["truth"].nunique() == 2
        per_split.append(float(metrics.roc_auc_score(split["truth"], split["score"])) if both else float("nan"))
    return per_split, auc_within_splits(ideal).value


def pooled_scores(predictions: pd.DataFrame) -> dict[str, float]:
    """Compute the scores of all tested patients together, `num_patients`, and `dice`, the mean over the subjects."""
    pooled = pool_patients(predictions)
    scores: dict[str, float] = {"num_patients": len(pooled)}
    if has_values(predictions, "score"):
        scores |= classification_scores(pooled["truth"], pooled["score"])
    if has_values(predictions, "dice"):
        scores["dice"] = float(predictions.groupby("subject")["dice"].mean().mean())
    return scores


def summarise(predictions: pd.DataFrame, planted: pd.Series | None = None) -> dict:
    """Summarise the scores of a run.

    Args:
        predictions: predictions table.
        planted: for a synthetic cohort, the best possible score of each subject.

    Returns:
        per_split: result of `scores_by_split` as records.
        mean, sd: mean and sample standard deviation over the splits.
        within_splits: `auc`, `auc_interval` (95 %) and `num_pairs` of patients tested by the same network; empty
            without scores.
        pooled: result of `pooled_scores`.
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
