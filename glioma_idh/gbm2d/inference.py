"""Apply the networks of a run to slices."""

from pathlib import Path

import numpy as np
import pandas as pd

from glioma_idh import runs

BATCH_SIZE = 256  # slices; limits memory


def score_slices(slices: np.ndarray, networks: list) -> np.ndarray:
    """Predict the probability of an IDH mutation by each network; shape (slices, networks)."""
    batches = np.array_split(slices, -(-len(slices) // BATCH_SIZE))
    scores = [np.concatenate([np.array(network(batch))[:, 1] for batch in batches]) for network in networks]
    return np.stack(scores, axis=1)


def predictions_table(table: pd.DataFrame, slices: np.ndarray, networks: list, run_dir: Path) -> pd.DataFrame:
    """Make the predictions table of an external cohort: one row per subject and network (`split`)."""
    scores = score_slices(slices, networks)
    columns = table[["subject", "patient", "cohort", "lesion_ml"]].assign(truth=table["idh"])
    parts = [
        columns.assign(repeat=repeat, split=split, score=scores[:, index])
        for index, (repeat, split) in enumerate(runs.list_splits(runs.read_table(run_dir / runs.SPLITS)))
    ]
    names = ["subject", "patient", "cohort", "repeat", "split", "truth", "score", "lesion_ml"]
    return pd.concat(parts, ignore_index=True)[names]
