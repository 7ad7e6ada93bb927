"""Cautions that stand before the first number, the result in sentences, and the explanation of new predictions."""

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

WIDE = 0.15  # half-width of the expected interval of an AUC; it is 0.13 for 100 patients, 17 of them mutant
FEWEST = 30  # patients, for runs without an AUC
RESEARCH = "For research only, not for diagnosis."


def cautions(run: Run) -> list[str]:
    """Warn if subjects may be several rows per patient, the training differs from the published one, the scores are
    class labels, or the sample is small: one text per warning."""
    performance, settings, unlike = run.performance, run.settings, unlike_published(run.settings)
    unlike.sort(key=lambda text: not text.startswith("epochs"))
    if run.paper and "epochs" not in run.paper.stated:
        default = run.paper.recipe.epochs
        if settings.get("epochs", default) < default:  # a longer training needs no warning
            unlike.insert(0, f"epochs {settings['epochs']} (default: {default}; not published)")
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
    """The first sentences of a report on a run or on a predictions table.

    With scores, they compare the network with age, lesion volume and grade; without scores, they give the Dice.
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
    """Explain in a few lines the predictions of either paper's `predict`, and the files in `out`."""
    values = number_values(runs.read_metrics(run_dir).get("performance", {}))
    scored, has_masks = "score" in predictions, "predicted_ml" in predictions
    networks = [name for name in predictions if scored and name.removeprefix("score_").isdigit()]
    tested = scored and values["patients"] and values["auc"].get("within_splits")
    values |= {"networks": networks, "tested": tested, "has_masks": has_masks}
    lines = render_topics(f"{TEXTS}/prediction.j2", values)
    if scored and not tested:
        command = f"python -m glioma_idh.report {run_dir}"
        lines["performance"] = f"The performance of these networks is not available yet; compute it with: {command}"
    name = predictions["subject"].iloc[0] if len(predictions) == 1 else "SUBJECT"
    masks = f", lesion mask {name}_lesion.nii.gz" if has_masks else ""
    files = f"Files in {out}: table predictions.csv, image {name}.png{masks}. Look at the image before using a score."
    return "\n".join([*filter(None, lines.values()), files, RESEARCH])
