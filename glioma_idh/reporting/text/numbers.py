"""The numbers of `evaluation.performance.evaluate` for the templates: what each is called, and which are there."""

from collections import Counter

from glioma_idh.evaluation.bootstrap import DRAWS
from glioma_idh.evaluation.calibration import NUM_BINS
from glioma_idh.evaluation.strata import FEWEST
from glioma_idh.reporting.text.templates import entry

SCORES = {"average_precision": "average precision", "brier": "Brier score", "log_loss": "log loss"}
RATES = {"sensitivity": "sensitivity", "specificity": "specificity", "accuracy": "accuracy", "ppv": "PPV", "npv": "NPV"}
THRESHOLDS = {
    "0.5": "from a score of 0.5 on",
    "youden": "from the threshold of the largest sensitivity + specificity (Youden)",
    "sensitivity 0.9": "from the highest threshold of a sensitivity of 0.9",
}
SCALINGS = {"temperature": "temperature scaling", "platt": "Platt scaling"}
LESIONS = {  # what is measured of masks: what it is called among numbers, its unit, and in the methods
    "dice": ("Dice", "", "Dice on the patient's own grid"),
    "hd95_mm": ("HD95", " mm", "the 95th percentile of the distances of the surfaces (HD95, mm)"),
    "volume_error_ml": ("volume, predicted less reference", " ml", "the error of the volume (ml)"),
    "lesions_found": ("share of lesions found", "", "the share of lesions that share a voxel with the prediction"),
    "false_lesions": ("false lesions a subject", "", "predicted lesions that share none with the reference"),
}
MEASURES = {
    "auc": "AUC",
    **SCORES,
    "rates": "sensitivity, specificity, accuracy and predictive values",
    "calibration": "calibration slope, intercept and error",
    "decision": "net benefit",
    "segmentation": "overlap of lesions",
}
INTERVALS = {
    "auc": "DeLong's on the logit scale (AUC)",
    "rates": "Wilson's (shares of patients)",
    "calibration": "Wald's (calibration line)",
    "segmentation": "a bootstrap's (lesions)",
}


def number_values(performance: dict) -> dict:
    """What the templates print of a run's numbers; parts of `performance` may be missing, or be a reason alone."""
    auc, rates, calibration, decision, baselines, measured = (
        entry(performance, name) for name in ("auc", "rates", "calibration", "decision", "baselines", "segmentation")
    )
    strata = [row for row in entry(performance, "strata") if row["n"]]
    variables = [variable for variable, number in Counter(row["variable"] for row in strata).items() if number > 1]
    strata = [row for row in strata if row["variable"] in variables]
    strata_names = [f"thirds of {name}" if name in ("age", "lesion size") else f"each {name}" for name in variables]
    available = {name: of for name, of in baselines.items() if not of["difference"]["reason"]}
    regressions = [name for name in available if name != "majority"]
    kinds = ["the larger class of the training part"] if "majority" in available else []
    kinds += [f"logistic regressions on {'; '.join(regressions)}"] if regressions else []
    scaled = {"before": "as the network gives the scores"}
    scaled |= {name: f"after {scaling}" for name, scaling in SCALINGS.items()}
    confusion = (rates.get("0.5") or {}).get("confusion", {})
    return {
        "performance": performance,
        "patients": performance.get("patients", {}),
        "auc": auc,
        "scores": {key: name for key, name in SCORES.items() if entry(performance, key)},
        "rates": rates,
        "rate_names": RATES,
        "confusion": confusion if "fn" in confusion else {},
        "thresholds": [text for name, text in THRESHOLDS.items() if name in rates],
        "calibration": calibration,
        "slope": (calibration.get("before") or {}).get("slope"),
        "scalings": [scaling for name, scaling in SCALINGS.items() if name in calibration],
        "scaled": {text: calibration[name] for name, text in scaled.items() if calibration.get(name) is not None},
        "decision": decision,
        "strata": strata,
        "strata_names": strata_names,
        "baselines": baselines,
        "available": available,
        "unavailable": [name for name in baselines if name not in available],
        "baseline_kinds": kinds,
        "regressions": regressions,
        "overlaps": [text for key, (_, _, text) in LESIONS.items() if key in measured],
        "lesions": {name: (unit, measured[key]) for key, (name, unit, _) in LESIONS.items() if key in measured},
        "expected": entry(performance, "expected"),
        "verdict": performance.get("beats_baselines") or {},
        "measures": [name for key, name in MEASURES.items() if entry(performance, key)],
        "intervals": [text for key, text in INTERVALS.items() if entry(performance, key)],
        "num_bins": NUM_BINS,
        "draws": DRAWS,
        "fewest_of_stratum": FEWEST,
    }
