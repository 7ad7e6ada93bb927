"""What a run knows, in short answers: those of the methods section, of its numbers, and of the software."""

import pandas as pd

from glioma_idh.reporting.text.limits import limits, verdict
from glioma_idh.reporting.text.methods import count, has, sentences
from glioma_idh.reporting.text.number_sentences import number_sentences
from glioma_idh.reporting.text.recipe_sentences import listed

USE = "Research only: it is no medical device, and no result may guide the treatment of a patient."
OF_EVERY_RUN = {
    "missing": "A subject that lacks a scan, a mask or a label that is needed is set aside. Where a baseline lacks "
    "grade, age or volume, the most frequent one or the median of the training part stands in.",
    "prepared_alike": "All patients were prepared alike.",
    "labelled_alike": "Test cases are labelled as the training cases are, from the same source.",
    "aim": "The run is development with internal testing.",
    "no_clusters": "Centres are not modelled.",
    "not_updated": "No network was changed after its test: scalings describe what could be mended, and are not kept in "
    "model.keras.",
    "guidelines": "CLAIM 2024, TRIPOD+AI and METRICS are answered as far as a run can.",
    "end_to_end": "Does not apply: the network reads images end to end, and no table of features is made.",
    "same_source": "Internal testing alone: those tested are of the cohort that was trained on, so that setting, "
    "criteria, genotype and input are the same.",
    "refused": "Scans that cannot be read, lie on another grid, hold NaN or do not vary, and empty masks, are refused "
    "with a message.",
}
REGIONS = {
    "gbm2d": "One axial slice a patient, cut to the lesion's rectangle; automatic, from the lesion mask.",
    "sgp3d": "All that a scan shows, but for black margins; automatic.",
}
KINDS = {"gbm2d": "Deep learning: a 2D convolutional network.", "sgp3d": "Deep learning: a 3D convolutional network."}
SEQUENCES = {
    "gbm2d": "One sequence alone was read.",
    "sgp3d": "Four sequences at once; networks of one sequence were not compared.",
}
INPUTS = {
    "gbm2d": "one scan and a lesion mask on its grid, skull-stripped or with a brain mask",
    "sgp3d": "T1, T1Gd, T2 and FLAIR on one grid, skull-stripped",
}


def run_facts(
    recipe: dict, cohort: pd.DataFrame, splits: pd.DataFrame, worth: dict, exclusions: pd.DataFrame | None = None
) -> dict[str, str]:
    """Everything that checklists and model card can ask a run.

    Args:
        recipe: content of `recipe.json`.
        cohort: cohort table of those used.
        splits: `subject, repeat, split, part`.
        worth: what `evaluation.worth.worth` gives.
        exclusions: who was set aside and why, where that is known.

    Returns:
        Short answers by topic, "" or missing where the run does not know: the topics of `methods.sentences`, and those
        of this module.
    """
    settings = recipe.get("recipe", {})
    return {
        **sentences(recipe, cohort, splits, worth, exclusions),
        "use": USE,
        **_of_software(recipe, settings),
        "characteristics": _characteristics(cohort),
        "centres": _centres(cohort),
        **number_sentences(worth),
        "verdict": verdict(worth),
        "limits": " ".join(limits(settings, cohort, worth)),
    }


def _of_software(recipe: dict, settings: dict) -> dict[str, str]:
    """What the software and its settings are, and how a network is applied."""
    paper, version = settings.get("paper"), recipe.get("versions", {}).get("glioma-idh", "of an unknown version")
    if paper not in KINDS:
        return {}
    module, slices = f"glioma_idh.{paper}", settings.get("network") == "resnet2d"
    repeated = settings.get("splits") == "holdout" and settings.get("num_splits", 1) > 1
    several = " but for patients in several test parts" if repeated else ""
    return OF_EVERY_RUN | {
        "kind": KINDS["gbm2d" if slices else paper],
        "region": REGIONS[paper],
        "internal": _internal(settings),
        "external": f"Not in these numbers; python -m {module}.train tests a finished run on a second cohort with "
        "--external.",
        "ensemble": f"No ensemble: one network was trained a split, and no score is that of several networks{several}.",
        "sequences": SEQUENCES[paper],
        "explained": _explained(settings),
        "settings": f"Every setting stands in recipe.json (hash {recipe.get('hash', 'not recorded')}); one command "
        "makes the run again.",
        "availability": f"The software is glioma_idh {version}, Apache-2.0 licence. The network of each split is kept "
        "as model.keras.",
        "applied": f"python -m {module}.predict applies the networks to new patients; it needs {INPUTS[paper]}"
        f"{' and a lesion mask' if slices else ''}.",
    }


def _explained(settings: dict) -> str:
    """What asks a network where its score comes from."""
    whole = settings["paper"] == "sgp3d" and settings.get("network", "sgpnet") == "sgpnet"
    if not whole or settings.get("targets") == "segmentation":
        return ""
    asks = "python -m glioma_idh.sgp3d.occlude asks the finished networks"
    return f"Not in this report; {asks} which part of an image a score comes from."


def _internal(settings: dict) -> str:
    """What kind of internal testing it was."""
    if settings.get("splits") == "kfold":
        tested = "each patient was tested once, by a network not trained on that patient"
        return f"Cross-validation: {tested}. No further test set was held out."
    if settings.get("splits") != "holdout":
        return ""
    if settings.get("num_splits") == 1:
        return "One random hold-out."
    return "Repeated random hold-outs; the test parts of different repeats may share patients."


def _characteristics(cohort: pd.DataFrame) -> str:
    """Grade, sex, age and site of the patients, each at the first examination."""
    patients = cohort.drop_duplicates("patient")
    texts = []
    for column in ("grade", "sex"):
        if has(patients, column):
            by_value = patients.assign(value=_text(patients[column])).groupby("value")["idh"]
            counts = [f"{value} in {len(idh)} ({int((idh == 1).sum())} IDH-mutant)" for value, idh in by_value]
            texts.append(f"{column.capitalize()}: {', '.join(counts)}.")
    ages = pd.to_numeric(patients.get("age_years", pd.Series(dtype=float)), errors="coerce").dropna()
    if len(ages):
        middle = f"median {ages.median():.0f} years, {ages.min():.0f} to {ages.max():.0f}"
        texts.append(f"Age: {middle}, known of {count(len(ages), 'patient')}.")
    unknown = [column for column in ("grade", "sex") if not has(patients, column)] + ([] if len(ages) else ["age"])
    return " ".join([*texts, f"Not known: {listed(unknown)}." if unknown else ""]).strip()


def _text(cells: pd.Series) -> pd.Series:
    """Grades and the like as text."""
    return cells.astype(object).fillna("").astype(str).str.strip().str.removesuffix(".0").replace("", "not known")


def _centres(cohort: pd.DataFrame) -> str:
    """How many sites the table names."""
    if not has(cohort, "site"):
        return ""
    sites = _text(cohort["site"])
    return f"The cohort table names {count(sites[sites != 'not known'].nunique(), 'site')}."
