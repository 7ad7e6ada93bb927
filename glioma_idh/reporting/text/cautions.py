"""What a reader must know before the first number, such as that a sample is small or a training unlike the paper's."""

from glioma_idh.reporting.text.methods import count
from glioma_idh.reporting.text.recipe_sentences import unlike_published
from glioma_idh.reporting.text.rerun import DEFAULTS

WIDE = 0.15  # half-width of an AUC's expected interval; 100 patients, 17 of them mutant, have 0.13
HARD = (
    "All scores are 0 or 1: they are labels, not probabilities. The AUC is that of this one threshold, the mean of "
    "sensitivity and specificity, and is not comparable with AUCs of probabilities; calibration is not available."
)
FEWEST = 30  # patients, where there is no AUC


def cautions(settings: dict, worth: dict) -> list[str]:
    """Whether a training departs from its paper's, and whether it was tested on few patients.

    Args:
        settings: `recipe` of a run's recipe.json; empty for a predictions table alone.
        worth: what `evaluation.worth.worth` gives.

    Returns:
        At most a text on each, one on scores that are labels, and one on subjects that may be rows of fewer patients;
        none where there is nothing to warn of.
    """
    hard = HARD if worth.get("hard_scores") else ""
    names = rows_of_patients(worth["numbered_names"]) if worth.get("numbered_names") else ""
    return [text for text in (names, _training(settings), hard, _sample(worth)) if text]


def rows_of_patients(names: dict) -> str:
    """That subjects may be several rows of one patient each.

    Args:
        names: what `evaluation.checks.numbered_names` gives.
    """
    return (
        f"The {names['num_subjects']} subjects are {names['num_names']} names with numbers behind "
        f"({names['example']} ...): if they are rows of {names['num_names']} patients, name a column patient or "
        "average them: intervals are else too narrow."
    )


def _training(settings: dict) -> str:
    """Which settings are not the paper's; a longer training than by default is no shortcut."""
    unlike = sorted(unlike_published(settings), key=lambda text: not text.startswith("epochs"))
    default = DEFAULTS.get(settings.get("paper"), {}).get("epochs")
    if settings.get("paper") == "sgp3d" and settings.get("epochs", default) < default:
        unlike.insert(0, f"epochs {settings['epochs']} (default: {default}; the paper prints none)")
    return f"The training departs from the paper's: {'; '.join(unlike)}." if unlike else ""


def _sample(worth: dict) -> str:
    """How few patients were tested, and how wide an interval of the AUC is to be expected from so few."""
    people, expected = worth.get("patients"), worth.get("expected")
    if not people or not expected:
        return ""
    tested = f"The sample is small: {count(people['num_tested'], 'patient')} tested"
    if "within_splits" not in worth["auc"]:
        return f"{tested}." if people["num_tested"] < FEWEST else ""
    tested = f"{tested}, {people['num_mutant']} of them IDH-mutant"
    if "half_width" not in expected:
        return f"{tested}; how wide an interval of the AUC is to be expected {expected['reason']}."
    if expected["half_width"] <= WIDE:
        return ""
    width = f"± {expected['half_width']:.2f} if the true AUC is {expected['auc']}"
    return f"{tested}; the 95 % interval of the AUC is expected to reach {width}."
