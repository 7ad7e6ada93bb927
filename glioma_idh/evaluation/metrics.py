"""Scores of a predictions table: per split as the papers print them, and pooled per patient."""

import numpy as np
import pandas as pd
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    log_loss,
    precision_score,
    recall_score,
    roc_auc_score,
)

from glioma_idh.evaluation.auc import SPLIT, auc_within_splits, logit_interval


def classification_scores(truth: np.ndarray, score: np.ndarray) -> dict[str, float]:
    """Accuracy, losses, sensitivity, specificity, areas and predictive values of predictions, mutant from 0.5 on.

    Args:
        truth: 1 mutant, 0 wild-type, shape (n,).
        score: probability of mutation, shape (n,).

    Returns:
        `accuracy`; `ccel`, the categorical cross-entropy, probabilities clipped at 1e-7 as Keras clips probabilities
        (the learning curves are computed from logits, unclipped); `brier`, the mean squared error of the score;
        `sensitivity`; `specificity`; `auc`; `average_precision`, the area under the precision-recall curve in steps;
        `ppv` and `npv`, the shares of those called mutant and wild-type who are; and `always_wild_type`, the accuracy
        of that answer. What needs both classes is NaN where one is missing, a predictive value where nobody is called
        so.
    """
    truth, score = np.asarray(truth), np.asarray(score, dtype=np.float64)
    called = score >= 0.5
    both = 0 < truth.sum() < len(truth)
    return {
        "accuracy": float(accuracy_score(truth, called)),
        "ccel": float(log_loss(truth, np.clip(score, 1e-7, 1 - 1e-7), labels=[0, 1])),
        "brier": float(np.mean((score - truth) ** 2)),
        "sensitivity": float(recall_score(truth, called, pos_label=1, zero_division=np.nan)),
        "specificity": float(recall_score(truth, called, pos_label=0, zero_division=np.nan)),
        "auc": float(roc_auc_score(truth, score)) if both else float("nan"),
        "average_precision": float(average_precision_score(truth, score)) if both else float("nan"),
        "ppv": float(precision_score(truth, called, pos_label=1, zero_division=np.nan)),
        "npv": float(precision_score(truth, called, pos_label=0, zero_division=np.nan)),
        "always_wild_type": float(np.mean(truth == 0)),
    }


def scores_by_split(predictions: pd.DataFrame) -> pd.DataFrame:
    """One row a split: `repeat, split`, and the scores on its test set; `dice` is the mean over its subjects.

    A table without a single `score` (a network for segmentation alone) has no classification scores, one without a
    single `dice` no Dice.
    """
    rows = []
    for (repeat, number), split in predictions.groupby(SPLIT):
        row = {"repeat": int(repeat), "split": int(number), "num_test": len(split)}
        if has_values(predictions, "score"):
            row |= classification_scores(split["truth"], split["score"])
        if has_values(predictions, "dice"):
            row["dice"] = float(split["dice"].mean())
        rows.append(row)
    return pd.DataFrame(rows)


def has_values(table: pd.DataFrame, column: str) -> bool:
    """Whether a table has this column, and anything in it."""
    return column in table and bool(table[column].notna().any())


def pool_patients(predictions: pd.DataFrame) -> pd.DataFrame:
    """One row a tested patient: the mean score over the splits and scans in which the patient was tested.

    With k-fold that is the one out-of-fold score; with repeated hold-outs patients who were never drawn are absent.
    """
    return predictions.groupby("patient", as_index=False).agg(truth=("truth", "max"), score=("score", "mean"))


def best_possible_auc(predictions: pd.DataFrame, planted: pd.Series) -> tuple[list[float], float]:
    """The AUC of the planted latent itself on exactly these test subjects, which no network exceeds but by chance.

    Args:
        predictions: predictions table of a synthetic cohort.
        planted: the best possible score, indexed by subject.

    Returns:
        One AUC a split, and the AUC within splits.
    """
    ideal = predictions.assign(score=predictions["subject"].map(planted))
    per_split = [_auc(split) for _, split in ideal.groupby(SPLIT)]
    return per_split, auc_within_splits(ideal).value


def _auc(predictions: pd.DataFrame) -> float:
    one_class = predictions["truth"].nunique() < 2
    return float("nan") if one_class else float(roc_auc_score(predictions["truth"], predictions["score"]))


def pooled_scores(predictions: pd.DataFrame) -> dict[str, float]:
    """The scores of all tested patients together, `num_patients`, and `dice`, the mean over the subjects."""
    pooled = pool_patients(predictions)
    scores = {"num_patients": len(pooled)}
    if has_values(predictions, "score"):
        scores |= classification_scores(pooled["truth"], pooled["score"])
    if has_values(predictions, "dice"):
        scores["dice"] = float(predictions.groupby("subject")["dice"].mean().mean())
    return scores


def within_splits_scores(predictions: pd.DataFrame) -> dict:
    """AUC of pairs tested by the same network: `auc`, `auc_interval` (95 %, NaN where there is none), `num_pairs`."""
    auc = auc_within_splits(predictions)
    return {"auc": auc.value, "auc_interval": logit_interval(auc.value, auc.standard_error), "num_pairs": auc.num_pairs}


def summarise(predictions: pd.DataFrame, planted: pd.Series | None = None) -> dict:
    """Every number of a run: per split, their mean and standard deviation (of a sample), within splits, and pooled.

    Args:
        predictions: predictions table; `dice` in it is optional.
        planted: of a synthetic cohort, the best possible score by subject.

    Returns:
        `per_split`; `mean` and `sd` over the splits; `within_splits`, empty without a score; `pooled`, one mean score
        per patient.
    """
    by_split, within = scores_by_split(predictions), {}
    if has_values(predictions, "score"):
        within = within_splits_scores(predictions)
        if planted is not None:
            by_split["best_possible_auc"], within["best_possible_auc"] = best_possible_auc(predictions, planted)
    numbers = by_split.drop(columns=[*SPLIT, "num_test"])
    return {
        "per_split": by_split.to_dict("records"),
        "mean": numbers.mean().to_dict(),
        "sd": numbers.std(ddof=1).to_dict(),
        "within_splits": within,
        "pooled": pooled_scores(predictions),
    }
