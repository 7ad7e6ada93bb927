"""How the numbers of `evaluation.worth` were made, in sentences of a methods section: of those that are there."""

from collections import Counter

from glioma_idh.evaluation.bootstrap import DRAWS
from glioma_idh.evaluation.calibration import NUM_BINS
from glioma_idh.evaluation.strata import FEWEST
from glioma_idh.reporting.text.recipe_sentences import listed

THRESHOLDS = {
    "0.5": "from a score of 0.5 on",
    "youden": "from the threshold of the largest sensitivity + specificity (Youden)",
    "sensitivity 0.9": "from the highest threshold of a sensitivity of 0.9",
}
SCALINGS = {"temperature": "temperature scaling", "platt": "Platt scaling"}
SCORES = {"average_precision": "average precision", "brier": "Brier score", "log_loss": "log loss"}
OVERLAPS = {
    "dice": "Dice on the patient's own grid",
    "hd95_mm": "the 95th percentile of the distances of the surfaces (HD95, mm)",
    "volume_error_ml": "the error of the volume (ml)",
    "lesions_found": "the share of lesions that share a voxel with the prediction",
    "false_lesions": "predicted lesions that share none with the reference",
}


def statistics_sentences(worth: dict) -> dict[str, str]:
    """The statistics of a run by topic.

    Args:
        worth: what `evaluation.worth.worth` gives; parts may be missing, or be a reason alone.

    Returns:
        Sentences in the past tense by topic (`discrimination, thresholds, calibration, decision, strata, baselines,
        segmentation`), "" where the numbers are not there.
    """
    return {
        "discrimination": _discrimination(worth),
        "thresholds": _thresholds(entry(worth, "rates")),
        "calibration": _calibration(entry(worth, "calibration")),
        "decision": _decision(entry(worth, "decision")),
        "strata": _strata(strata_rows(worth)),
        "baselines": _baselines(entry(worth, "baselines")),
        "segmentation": _segmentation(entry(worth, "segmentation")),
    }


def entry(worth: dict, name: str):
    """An entry of `worth`; {} where it is missing, or but a reason why it is not to be had."""
    found = worth.get(name) or {}
    return {} if isinstance(found, dict) and set(found) == {"reason"} else found


def _discrimination(worth: dict) -> str:
    """Scores that need no threshold."""
    if not entry(worth, "auc"):
        return ""
    others = [name for key, name in SCORES.items() if entry(worth, key)]
    text = "Confidence intervals are of 95 %. Discrimination was measured by the area under the ROC curve (AUC) within "
    text += "splits: only pairs of patients tested by the same network were compared, and pairs were summed over the "
    text += "splits. Its variance is DeLong's, from the structural components of each split summed over the tests of a "
    text += "patient; its interval is symmetric on the logit scale. The AUC of all scores pooled is reported too; it "
    text += "also compares scores of different networks, whose offsets usually lower it"
    bootstrap = f"have intervals of a bootstrap of {DRAWS} draws over the patients of each class"
    return f"{text}. {_first_upper(listed(others))} {bootstrap}." if others else f"{text}."


def _first_upper(text: str) -> str:
    """A text at the start of a sentence."""
    return text[:1].upper() + text[1:]


def _thresholds(rates: dict) -> str:
    """From where on patients were called mutant."""
    known = [text for name, text in THRESHOLDS.items() if name in rates]
    if not known:
        return ""
    text = "Sensitivity, specificity, accuracy and predictive values have Wilson's intervals. Patients were called "
    text += f"mutant {listed(known)}."
    if set(rates) - {"0.5"}:
        text += " Thresholds other than 0.5 were cross-fitted: for each test part they were chosen on the scores that "
        text += "patients outside it had when they were tested. Labels of a test part entered them only through the "
        text += "training of the networks that tested those others."
    return text


def _calibration(calibration: dict) -> str:
    """How calibration was described and mended."""
    if not calibration:
        return ""
    text = "Calibration was described by slope and intercept of a logistic regression of the genotype on the logit of "
    text += f"the score, by the expected calibration error over {NUM_BINS} bins of equal width, and by a reliability "
    text += "curve"
    scalings = [scaling for name, scaling in SCALINGS.items() if name in calibration]
    return f"{text}, before and after {listed(scalings)}, which were cross-fitted likewise." if scalings else f"{text}."


def _decision(decision: list) -> str:
    """The decision curve."""
    text = "The net benefit of acting on the scores was compared with treating all and with treating none as mutant"
    return f"{text} (decision curve)." if decision else ""


def strata_rows(worth: dict) -> list[dict]:
    """The strata of `worth` that hold anybody, of variables that have several."""
    rows = [row for row in entry(worth, "strata") if row["n"]]
    several = Counter(row["variable"] for row in rows)
    return [row for row in rows if several[row["variable"]] > 1]


def _strata(strata: list[dict]) -> str:
    """Within which groups the AUC was computed."""
    variables = dict.fromkeys(row["variable"] for row in strata)
    names = [f"thirds of {name}" if name in ("age", "lesion size") else f"each {name}" for name in variables]
    where = f"where both classes had at least {FEWEST} patients"
    return f"The AUC was also computed within {listed(names)}, {where}." if names else ""


def _baselines(baselines: dict) -> str:
    """The baselines that the network was compared with."""
    compared = [name for name, baseline in baselines.items() if not baseline["difference"]["reason"]]
    if not compared:
        return ""
    regressions = [name for name in compared if name != "majority"]
    kinds = ["the larger class of the training part"] if "majority" in compared else []
    kinds += [f"logistic regressions on {'; '.join(regressions)}"] if regressions else []
    text = f"Baselines without a network were fitted and tested on the same splits: {listed(kinds)}. The network's AUC "
    text += "within splits was compared with theirs on the same patients by a paired test with DeLong's components"
    holm = f"; p values were corrected by Holm over the {len(regressions)} regressions"
    return f"{text}{holm if len(regressions) > 1 else ''}."


def _segmentation(segmentation: dict) -> str:
    """How lesions were measured."""
    names = [text for name, text in OVERLAPS.items() if name in segmentation]
    text = "averaged over subjects, with intervals of a bootstrap over patients"
    return f"Segmentation was measured by {listed(names)}, {text}." if names else ""
