"""What a reader must know before the first number, of a run or of new predictions, and the result in a sentence."""

from pathlib import Path

import pandas as pd

from glioma_idh import runs
from glioma_idh.evaluation.performance import SURE
from glioma_idh.reporting.figures.canvas import SYNTHETIC_NOTE
from glioma_idh.reporting.tables.cells import known
from glioma_idh.reporting.text.numbers import number_values
from glioma_idh.reporting.text.rerun import unlike_published
from glioma_idh.reporting.text.templates import TEXTS, entry, render_topics
from glioma_idh.runs.foreign_tables import rows_of_patients
from glioma_idh.runs.run import Run

WIDE = 0.15  # half-width of an AUC's expected interval; 100 patients, 17 of them mutant, have 0.13
FEWEST = 30  # patients, where there is no AUC
RESEARCH = "For research only, not for diagnosis."


def cautions(run: Run) -> list[str]:
    """Whether subjects may be rows of fewer patients, the training departs from its paper's, scores are labels, and the
    sample is small: a text on each, none where there is nothing to warn of."""
    performance, settings, unlike = run.performance, run.settings, unlike_published(run.settings)
    unlike.sort(key=lambda text: not text.startswith("epochs"))
    if run.paper and "epochs" not in run.paper.stated:
        default = run.paper.recipe.epochs
        if settings.get("epochs", default) < default:  # a longer training is no shortcut
            unlike.insert(0, f"epochs {settings['epochs']} (default: {default}; the paper prints none)")
    names = rows_of_patients(performance["numbered_names"]) if performance.get("numbered_names") else ""
    values = {
        "performance": performance,
        "patients": performance.get("patients"),
        "unlike": unlike,
        "fewest": FEWEST,
        "wide": WIDE,
    }
    texts = [names, *render_topics(f"{TEXTS}/cautions.j2", values).values()]
    return [text for text in texts if text]


def result_sentence(run: Run) -> str:
    """What a report says first: two or three sentences of a run, or of a table alone.

    They are on age, lesion volume and grade where there are scores, else on Dice.
    """
    baselines = entry(run.performance, "baselines")
    compared = [name for name, of in baselines.items() if known(of["difference"]["p"])]
    values = {
        "run": run,
        "performance": run.performance,
        "patients": run.performance["patients"],
        "baselines": baselines,
    }
    values |= {"compared": compared, "sure": SURE, "synthetic_note": SYNTHETIC_NOTE}
    return render_topics(f"{TEXTS}/result.j2", values)["result"]


def prediction_text(predictions: pd.DataFrame, run_dir: Path, out: Path) -> str:
    """A few lines on what `predict` of either paper gives, and on the table, the pictures and the masks in `out`."""
    values = number_values(runs.read_metrics(run_dir).get("performance", {}))
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
