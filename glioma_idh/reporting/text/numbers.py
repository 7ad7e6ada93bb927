"""The numbers of `evaluation.performance.evaluate` for the templates: their names, and which are available."""

from collections import Counter

from glioma_idh.evaluation.bootstrap import DRAWS
from glioma_idh.evaluation.calibration import NUM_BINS
from glioma_idh.evaluation.strata import FEWEST
from glioma_idh.reporting.tables.cells import without_wide_interval
from glioma_idh.reporting.text.templates import entry

SCORES = {"average_precision": "average precision", "brier": "Brier score", "log_loss": "log loss"}
RATES = {"sensitivity": "sensitivity", "specificity": "specificity", "accuracy": "accuracy", "ppv": "PPV", "npv": "NPV"}
THRESHOLDS = {
    "0.5": "0.5",
    "youden": "the threshold that maximises the sum of sensitivity and specificity (Youden index)",
    "sensitivity 0.9": "the highest threshold with a sensitivity of at least 0.9",
}
SCALINGS = {"temperature": "temperature scaling", "platt": "Platt scaling"}
LINE = ("slope", "intercept", "in_the_large")  # of calibration
LESIONS = {  # measures of segmentation: name among numbers, unit, and name in the methods
    "dice": ("Dice", "", "the Dice coefficient on the patient's own grid"),
    "hd95_mm": ("HD95", " mm", "the 95th percentile of the surface distances (HD95, in mm)"),
    "volume_error_ml": ("volume error (predicted minus reference)", " ml", "the volume error (ml)"),
    "lesions_found": ("proportion of lesions found", "", "the proportion of lesions that overlap with the prediction"),
    "false_lesions": ("false lesions per subject", "", "the number of predicted lesions without overlap with a lesion"),
}
MEASURES = {
    "auc": "AUC",
    **SCORES,
    "rates": "sensitivity, specificity, accuracy and predictive values",
    "calibration": "calibration slope, intercept and error",
    "decision": "net benefit",
    "segmentation": "overlap of the lesion segmentation",
}
INTERVALS = {
    "auc": "DeLong on the logit scale (AUC)",
    "rates": "Wilson (sensitivity and other proportions)",
    "calibration": "Wald (calibration slope and intercept)",
    "segmentation": "bootstrap (segmentation)",
}


def number_values(performance: dict) -> dict:
    """A run's numbers for the templates; parts of `performance` may be missing, or consist of a reason only."""
    auc, rates, calibration, decision, baselines, measured = (
        entry(performance, name) for name in ("auc", "rates", "calibration", "decision", "baselines", "segmentation")
    )
    strata = [row for row in entry(performance, "strata") if row["n"]]
    variables = [variable for variable, number in Counter(row["variable"] for row in strata).items() if number > 1]
    strata = [row for row in strata if row["variable"] in variables]
    strata_names = [f"thirds of {name}" if name in ("age", "lesion size") else f"each {name}" for name in variables]
    available = {name: of for name, of in baselines.items() if not of["difference"]["reason"]}
    regressions = [name for name in available if name != "majority"]
    kinds = ["the majority class of the training set"] if "majority" in available else []
    kinds += [f"logistic regressions on: {'; '.join(regressions)}"] if regressions else []
    scaled = {"before": "before recalibration"}
    scaled |= {name: f"after {scaling}" for name, scaling in SCALINGS.items()}
    printed = {
        text: {key: without_wide_interval(of) if key in LINE else of for key, of in calibration[name].items()}
        for name, text in scaled.items()
        if calibration.get(name) is not None
    }
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
        "slope": (printed.get("before recalibration") or {}).get("slope"),
        "scalings": [scaling for name, scaling in SCALINGS.items() if name in calibration],
        "scaled": printed,
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
