"""The numbers of `evaluation.worth` in sentences, each with its interval."""

from glioma_idh.reporting.tables.cells import comparison_cell, estimate_cell, known, proportion_cell
from glioma_idh.reporting.text.methods import count
from glioma_idh.reporting.text.recipe_sentences import listed
from glioma_idh.reporting.text.statistics_sentences import SCALINGS, SCORES, entry, strata_rows

MEASURES = {
    "auc": "AUC",
    **SCORES,
    "rates": "sensitivity, specificity, accuracy and predictive values",
    "calibration": "calibration slope, intercept and error",
    "decision": "net benefit",
    "segmentation": "overlap of lesions",
}
LESIONS = {  # what is measured of masks, and in which unit
    "dice": ("Dice", ""),
    "hd95_mm": ("HD95", " mm"),
    "volume_error_ml": ("volume, predicted less reference", " ml"),
    "lesions_found": ("share of lesions found", ""),
    "false_lesions": ("false lesions a subject", ""),
}
RATES = {"sensitivity": "sensitivity", "specificity": "specificity", "accuracy": "accuracy", "ppv": "PPV", "npv": "NPV"}


def number_sentences(worth: dict) -> dict[str, str]:
    """What a run's networks are worth, by topic.

    Args:
        worth: what `evaluation.worth.worth` gives; parts may be missing, or be a reason alone.

    Returns:
        Sentences by topic (`auc, rates, mistakes, calibrated, groups, sites, measures, uncertainty, beside_baselines,
        lesions, expected`), "" where the numbers are not there.
    """
    strata = strata_rows(worth)
    return {
        "auc": _auc(worth),
        "rates": _rates(worth),
        "mistakes": _mistakes(worth),
        "calibrated": _calibrated(worth),
        "groups": _groups(strata),
        "sites": _groups([row for row in strata if row["variable"] == "site"]),
        "measures": _measures(worth),
        "uncertainty": _uncertainty(worth),
        "beside_baselines": _beside_baselines(worth),
        "lesions": _lesions(worth),
        "expected": _expected(worth),
    }


def _auc(worth: dict) -> str:
    """Scores without a threshold."""
    auc, people = entry(worth, "auc").get("within_splits"), worth.get("patients", {})
    if not auc:
        return ""
    tested = f"{count(people['num_tested'], 'patient')} tested, {people['num_mutant']} IDH-mutant"
    others = [f"{name} {estimate_cell(worth[key])}" for key, name in SCORES.items() if entry(worth, key)]
    return f"{tested}: AUC within splits {estimate_cell(auc)}{''.join(f', {other}' for other in others)}."


def _rates(worth: dict) -> str:
    """The rates at one half."""
    rates = entry(worth, "rates").get("0.5")
    if not rates:
        return ""
    cells = [f"{noun} {proportion_cell(rates[name])}" for name, noun in RATES.items()]
    return f"Mutant from a score of 0.5 on: {'; '.join(cells)}."


def _mistakes(worth: dict) -> str:
    """How many were called wrongly."""
    counts = entry(worth, "rates").get("0.5", {}).get("confusion", {})
    if "fn" not in counts:
        return ""
    return (
        f"At 0.5, {counts['fn']} of {counts['fn'] + counts['tp']} IDH-mutant patients were called wild-type and "
        f"{counts['fp']} of {counts['fp'] + counts['tn']} IDH-wild-type patients mutant."
    )


def _calibrated(worth: dict) -> str:
    """Slope, intercept and error of calibration, before and after scaling."""
    names = {"before": "as the network gives the scores"}
    names |= {name: f"after {scaling}" for name, scaling in SCALINGS.items()}
    texts = []
    for name, noun in names.items():
        scores = entry(worth, "calibration").get(name)
        if scores is None:
            continue
        if "slope" not in scores:
            texts.append(f"{noun}: {scores['reason']}")
            continue
        slope, intercept = estimate_cell(scores["slope"]), estimate_cell(scores["intercept"])
        texts.append(f"{noun}: slope {slope}, intercept {intercept}, ECE {scores['ece']:.2f}")
    return f"Calibration {'; '.join(texts)}." if texts else ""


def _groups(strata: list) -> str:
    """AUC within groups of patients."""
    cells = [
        f"{row['variable']} {row['stratum']} (n = {row['n']}, {row['events']} IDH-mutant) "
        f"{estimate_cell(row | {'value': row['auc']})}"
        for row in strata
        if known(row["auc"])
    ]
    small = len(strata) - len(cells)
    rest = f" Too small for one: {count(small, 'group')}." if small else ""
    return f"AUC within {'; '.join(cells)}.{rest}" if cells else rest.strip()


def _measures(worth: dict) -> str:
    """What was measured, by name."""
    names = [name for key, name in MEASURES.items() if entry(worth, key)]
    return f"{'; '.join(names)}." if names else ""


def _uncertainty(worth: dict) -> str:
    """Intervals and tests, by name."""
    intervals = {"auc": "DeLong's on the logit scale (AUC)", "rates": "Wilson's (shares of patients)"}
    intervals |= {"calibration": "Wald's (calibration line)", "segmentation": "a bootstrap's (lesions)"}
    named = [text for key, text in intervals.items() if entry(worth, key)]
    tests = " Differences of AUC have DeLong's paired test, after Holm." if entry(worth, "baselines") else ""
    return f"95 % confidence intervals: {listed(named)}.{tests}" if named else ""


def _beside_baselines(worth: dict) -> str:
    """AUC of each baseline, and how much better the network is."""
    baselines = entry(worth, "baselines")
    without = [name for name, of in baselines.items() if of["difference"]["reason"]]
    cells = [
        f"{name} {estimate_cell(of['auc'])}, the network's less that {comparison_cell(of['difference'])}"
        for name, of in baselines.items()
        if name not in without
    ]
    rest = f" Not available here: {'; '.join(without)}." if without else ""
    return f"AUC of baselines: {'; '.join(cells)}.{rest}" if cells else rest.strip()


def _lesions(worth: dict) -> str:
    """What the masks are worth."""
    measured = entry(worth, "segmentation")
    cells = [f"{noun} {estimate_cell(measured[key])}{unit}" for key, (noun, unit) in LESIONS.items() if key in measured]
    return f"Lesions: {', '.join(cells)}." if cells else ""


def _expected(worth: dict) -> str:
    """How wide an interval so many patients give."""
    expected = entry(worth, "expected")
    if "half_width" not in expected:
        return ""
    hoped = f"an AUC of {expected['auc']:g}" if "auc" in expected else "an AUC"
    people = f"{expected['num_patients']} patients, {100 * expected['prevalence']:.0f} % of them IDH-mutant"
    return (
        f"With {people}, the 95 % interval of {hoped} is expected to reach {expected['half_width']:.2f} to each side."
    )
