"""What a reader must know before the first number, such as that a sample is small or a training unlike the paper's."""

from glioma_idh.reporting.text.differences import unlike_published
from glioma_idh.reporting.text.words import count
from glioma_idh.runs.foreign_tables import rows_of_patients
from glioma_idh.runs.run import Run

WIDE = 0.15  # half-width of an AUC's expected interval; 100 patients, 17 of them mutant, have 0.13
HARD = (
    "All scores are 0 or 1: they are labels, not probabilities. The AUC is that of this one threshold, the mean of "
    "sensitivity and specificity, and is not comparable with AUCs of probabilities; calibration is not available."
)
FEWEST = 30  # patients, where there is no AUC


def cautions(run: Run) -> list[str]:
    """Whether subjects may be rows of fewer patients, the training departs from its paper's, scores are labels, and the
    sample is small: a text on each, none where there is nothing to warn of."""
    hard = HARD if run.worth.get("hard_scores") else ""
    names = rows_of_patients(run.worth["numbered_names"]) if run.worth.get("numbered_names") else ""
    return [text for text in (names, _training(run), hard, _sample(run.worth)) if text]


def _training(run: Run) -> str:
    """Which settings are not the paper's; a longer training than by default is no shortcut."""
    settings, unlike = run.settings, unlike_published(run.settings)
    unlike.sort(key=lambda text: not text.startswith("epochs"))
    if run.paper and "epochs" not in run.paper.stated:
        default = run.paper.recipe.epochs
        if settings.get("epochs", default) < default:
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
