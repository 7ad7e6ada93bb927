"""What a person must know of new predictions: what the score is, how good the run was, and where to look."""

from pathlib import Path

import pandas as pd

from glioma_idh import runs
from glioma_idh.reporting.text.numbers import number_values
from glioma_idh.reporting.text.templates import TEXTS, render_topics

RESEARCH = "For research only, not for diagnosis."


def prediction_text(predictions: pd.DataFrame, run_dir: Path, out: Path) -> str:
    """A few lines on what `predict` of either paper gives, and on the table, the pictures and the masks in `out`."""
    values = number_values(runs.read_json(run_dir / runs.METRICS).get("worth", {}))
    scored, has_masks = "score" in predictions, "predicted_ml" in predictions
    networks = [name for name in predictions if scored and name.removeprefix("score_").isdigit()]
    tested = scored and values["patients"] and values["auc"].get("within_splits")
    values |= {"networks": networks, "tested": tested, "has_masks": has_masks}
    lines = render_topics(f"{TEXTS}/prediction.j2", values)
    if scored and not tested:
        unknown = "How good these networks are is not known"
        lines["performance"] = f"{unknown}: python -m glioma_idh.report {run_dir} computes it."
    name = predictions["subject"].iloc[0] if len(predictions) == 1 else "SUBJECT"
    masks = f", lesion mask {name}_lesion.nii.gz" if has_masks else ""
    files = f"In {out}: table predictions.csv, picture {name}.png{masks}. Look at the picture before using a score."
    return "\n".join([*filter(None, lines.values()), files, RESEARCH])
