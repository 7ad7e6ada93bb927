"""What a run's own numbers say against it."""

import pandas as pd

from glioma_idh.reporting.tables.cells import estimate_cell, known
from glioma_idh.reporting.text.methods import count, has, is_synthetic
from glioma_idh.reporting.text.recipe_sentences import listed
from glioma_idh.reporting.text.statistics_sentences import entry, strata_rows

DEMOGRAPHICS = {"age_years": "age", "sex": "sex", "grade": "grade", "site": "site"}
ALWAYS = (
    "No external testing is part of these numbers.",
    "Intervals are about who the patients were: another seed of the training may move a number further.",
)


def limits(settings: dict, cohort: pd.DataFrame, worth: dict) -> list[str]:
    """The limits that a run's settings and numbers show; those that they cannot show are for the authors.

    Args:
        settings: `recipe` of a run's recipe.json.
        cohort: cohort table of those used.
        worth: what `evaluation.worth.worth` gives.

    Returns:
        One sentence a limit, the gravest first.
    """
    found = [
        "The cohort is synthetic: nothing here holds for a patient." if is_synthetic(cohort) else "",
        verdict(worth, good=""),
        _precision(worth),
        _too_sure(worth),
        _small_groups(worth),
        _unknown(cohort),
        _never_tested(worth),
        _mask_needed(settings),
        _with_skull(settings),
        *ALWAYS,
    ]
    return [limit for limit in found if limit]


def verdict(worth: dict, good: str = "The network has a higher AUC than every baseline that could be compared.") -> str:
    """Whether the network has a higher AUC than the baselines.

    Args:
        worth: what `evaluation.worth.worth` gives.
        good: what is said where it does.
    """
    found = worth.get("beats_baselines") or {}
    if found.get("verdict") == "beats all":
        return good
    if found.get("worse"):
        return f"The network has a lower AUC than {listed(found['worse'])} alone."
    if found.get("verdict") == "does not beat":
        return f"The AUC of the network is not shown to be higher than that of {listed(found['not_beaten'])} alone."
    return f"Whether the network has a higher AUC than the baselines {found['reason']}." if found else ""


def _precision(worth: dict) -> str:
    """How wide the AUC's interval is."""
    auc, people = entry(worth, "auc").get("within_splits"), worth.get("patients", {})
    if not auc or not known(auc["low"]):
        return ""
    tested = f"{count(people['num_tested'], 'patient')} ({people['num_mutant']} IDH-mutant)"
    return f"From {tested} the 95 % interval of the AUC is {auc['low']:.2f} to {auc['high']:.2f}."


def _too_sure(worth: dict) -> str:
    """Whether the scores spread too far, or not far enough."""
    slope = entry(entry(worth, "calibration"), "before").get("slope")
    if not slope or not known(slope["low"]) or slope["low"] <= 1 <= slope["high"]:
        return ""
    how = "too sure" if slope["high"] < 1 else "not sure enough"
    return f"The scores are {how}: calibration slope {estimate_cell(slope)}."


def _small_groups(worth: dict) -> str:
    """Groups of patients without a number of their own."""
    strata = strata_rows(worth)
    small = sum(not known(row["auc"]) for row in strata)
    return f"{small} of {len(strata)} groups of patients are too small for an AUC of their own." if small else ""


def _unknown(cohort: pd.DataFrame) -> str:
    """What of the patients is not known, so that nobody can look whether it matters."""
    unknown = [name for column, name in DEMOGRAPHICS.items() if not has(cohort, column)]
    verb = "is" if len(unknown) == 1 else "are"
    return f"{listed(unknown).capitalize()} of the patients {verb} not known." if unknown else ""


def _never_tested(worth: dict) -> str:
    """Patients in no test part."""
    never = worth.get("patients", {}).get("num_never_tested", 0)
    verb = "was" if never == 1 else "were"
    return f"{count(never, 'patient')} {verb} never tested." if never else ""


def _with_skull(settings: dict) -> str:
    """Scans that were let in although they may show more than the brain."""
    if not settings.get("with_skull"):
        return ""
    where = "without a brain mask " if settings.get("paper") == "gbm2d" else ""
    text = "were not checked for a skull, noise or a grey background, which then enter the normalisation"
    return f"Scans {where}{text} (--with-skull)."


def _mask_needed(settings: dict) -> str:
    """Networks that cannot be applied without an outline."""
    needs = settings.get("paper") == "gbm2d" or settings.get("network") == "resnet2d"
    return "To be applied the network needs an outline of the lesion." if needs else ""
