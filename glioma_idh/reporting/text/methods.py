"""The methods section of a run, written from its recipe and its tables; what they do not say is left out."""

from pathlib import Path

import pandas as pd

from glioma_idh import cohorts
from glioma_idh.reporting.figures.canvas import SYNTHETIC_NOTE
from glioma_idh.reporting.text.recipe_sentences import listed, recipe_sentences
from glioma_idh.reporting.text.statistics_sentences import entry, statistics_sentences

SECTIONS = {  # of the text, topics by heading
    "Patients": ("synthetic", "source", "reference", "masks", "exclusions"),
    "Images": ("images", "brain", "part"),
    "Network and training": (
        *("network", "loss", "optimiser", "selection", "balance", "augmentation", "regularisation", "precision"),
        "differences",
    ),
    "Splits and scores": ("splits", "disjoint", "sizes", "unlabelled", "output", "scoring"),
    "Statistics": ("discrimination", "thresholds", "calibration", "decision", "strata", "baselines", "segmentation"),
    "Software": ("software", "seeds"),
}
NAMES = {"glioma-idh": "glioma_idh", "python": "Python", "tensorflow": "TensorFlow", "keras": "Keras"}
NAMES |= {"numpy": "NumPy", "scipy": "SciPy", "nibabel": "NiBabel"}
MOST_KINDS = 5  # of evidence or reasons that are written out


def methods_text(
    recipe: dict, cohort: pd.DataFrame, splits: pd.DataFrame, worth: dict, exclusions: pd.DataFrame | None = None
) -> str:
    """The methods section of a run, a paragraph a topic, in the past tense.

    Args:
        recipe: content of `recipe.json`.
        cohort: cohort table of those used.
        splits: `subject, repeat, split, part`.
        worth: what `evaluation.worth.worth` gives.
        exclusions: who was set aside and why, where that is known.

    Returns:
        Paragraphs with a blank line between; what the recipe and the tables do not say is left out.
    """
    said = sentences(recipe, cohort, splits, worth, exclusions)
    paragraphs = []
    for heading, topics in SECTIONS.items():
        text = " ".join(said[topic] for topic in topics if said.get(topic))
        paragraphs += [f"{heading}. {text}"] if text else []
    return "\n\n".join(paragraphs)


def sentences(
    recipe: dict, cohort: pd.DataFrame, splits: pd.DataFrame, worth: dict, exclusions: pd.DataFrame | None = None
) -> dict[str, str]:
    """What `methods_text` is made of: sentences by topic, "" or missing where nothing is known.

    Args:
        recipe: content of `recipe.json`.
        cohort: cohort table of those used.
        splits: `subject, repeat, split, part`.
        worth: what `evaluation.worth.worth` gives.
        exclusions: who was set aside and why, where that is known.
    """
    settings = recipe.get("recipe", {})
    return {
        "synthetic": f"{SYNTHETIC_NOTE}." if is_synthetic(cohort) else "",
        "source": _source(settings, cohort),
        "reference": _reference(cohort),
        "masks": "The lesion masks were those that came with the cohort." if has(cohort, "lesion_mask") else "",
        "exclusions": _exclusions(exclusions),
        "brain": _brain(settings, cohort),
        **recipe_sentences(settings),
        **_parts(cohort, splits),
        "scoring": _scoring(worth),
        **statistics_sentences(worth),
        "software": _software(recipe.get("versions", {})),
    }


def is_synthetic(cohort: pd.DataFrame) -> bool:
    """Whether a cohort is the phantom."""
    return "cohort" in cohort and bool((cohort["cohort"] == "phantom").any())


def count(number: int, noun: str) -> str:
    """`1 patient`, `2 patients`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def has(cohort: pd.DataFrame, column: str) -> bool:
    """Whether any subject has something in a column."""
    return column in cohort and bool((cohort[column].astype(object).fillna("").astype(str) != "").any())


def _source(settings: dict, cohort: pd.DataFrame) -> str:
    """Which cohort, and how many."""
    name = settings.get("cohort", "")
    collection = cohorts.title(name) or (f"the table {Path(name).name}" if name else "")
    patients = cohort.groupby("patient")["idh"].max()
    mutant, wild_type, unknown = (patients == 1).sum(), (patients == 0).sum(), patients.isna().sum()
    people = count(len(patients), "phantom" if is_synthetic(cohort) else "patient")
    if len(cohort) != len(patients):
        people = f"{len(cohort)} examinations of {people}"
    status = f"{mutant} with an IDH-mutant and {wild_type} with an IDH-wild-type glioma"
    status += f", {unknown} of unknown IDH status" if unknown else ""
    start = f"The cohort was {collection}: {people}" if collection else f"The cohort had {people}"
    return f"{start} ({status})."


def _reference(cohort: pd.DataFrame) -> str:
    """The reference standard, by the evidence that the labels name."""
    start = "The reference standard was the IDH status that the labels of the cohort give"
    if not has(cohort, "idh_evidence"):
        return f"{start}; the evidence for it is not recorded."
    labelled = cohort[cohort["idh"].notna()]
    if (labelled["idh_evidence"] == "planted").all():
        return "The reference standard was the genotype that the generator had planted."
    kinds = []
    for idh, name in ((1, "IDH-mutant"), (0, "IDH-wild-type")):
        evidence = labelled.loc[labelled["idh"] == idh, "idh_evidence"].replace("", "no evidence named").value_counts()
        kinds.append(f"{name} by {_counted(evidence)}")
    return f"{start}, by this evidence: {'; '.join(kinds)}."


def _counted(kinds: pd.Series) -> str:
    """The most frequent kinds with their counts, the others together."""
    shown = [f'"{kind}" ({number})' for kind, number in kinds.head(MOST_KINDS).items()]
    others = int(kinds.iloc[MOST_KINDS:].sum())
    return listed([*shown, f"{others} in other ways"] if others else shown) if shown else "nothing"


def _exclusions(exclusions: pd.DataFrame | None) -> str:
    """Who was set aside, by reason."""
    if exclusions is None:
        return ""
    if exclusions.empty:
        return "No subject was set aside."
    kinds = exclusions.groupby(["expected", "found"]).size().sort_values(ascending=False)
    reasons = [
        f"{expected} was needed and {found} was found ({number})"
        for (expected, found), number in kinds.head(MOST_KINDS).items()
    ]
    others = int(kinds.iloc[MOST_KINDS:].sum())
    reasons += [f"other reasons ({others})"] if others else []
    verb = "was" if len(exclusions) == 1 else "were"
    return f"{count(len(exclusions), 'subject')} {verb} set aside: {'; '.join(reasons)}."


def _brain(settings: dict, cohort: pd.DataFrame) -> str:
    """What counted as brain in the 2D preparation, and whether scans had to be skull-stripped."""
    checked = "Scans {}were not required to be skull-stripped." if settings.get("with_skull") else ""
    if settings.get("paper") != "gbm2d":
        return checked.format("")
    return " ".join(filter(None, [_brain_2d(cohort), checked.format("without a brain mask ")]))


def _brain_2d(cohort: pd.DataFrame) -> str:
    """What counted as brain in the 2D preparation."""
    if not has(cohort, "brain_mask"):
        return "The brain was where the scan was not 0."
    masked = int((cohort["brain_mask"].astype(object).fillna("") != "").sum())
    if masked == len(cohort):
        return "The brain was that of the cohort's brain masks."
    return f"The brain was that of the cohort's brain masks in {masked} subjects, elsewhere where the scan was not 0."


def _parts(cohort: pd.DataFrame, splits: pd.DataFrame) -> dict[str, str]:
    """What the table of splits shows."""
    rows = splits.merge(cohort[["subject", "patient", "idh"]], on="subject")
    if not {"train", "test"} <= set(rows["part"]):
        return {}
    return {"disjoint": _disjoint(rows), "sizes": _sizes(rows), "unlabelled": _unlabelled(rows)}


def _disjoint(rows: pd.DataFrame) -> str:
    """Whether anybody was trained on and tested in one split."""
    both = int((rows.groupby(["repeat", "split", "patient"])["part"].nunique() > 1).sum())
    if both:
        return f"In {both} cases a patient stood in the training and the test part of one split."
    return "Splits were made on patients: none stood in the training and the test part of one split."


def _sizes(rows: pd.DataFrame) -> str:
    """How many patients the parts of the splits held."""
    patients = rows.groupby(["repeat", "split", "part", "patient"])["idh"].max().groupby(["repeat", "split", "part"])
    sizes, mutants = patients.size(), patients.sum().astype(int)
    texts = [
        f"{_range(sizes.xs(part, level='part'))} patients ({_range(mutants.xs(part, level='part'))} IDH-mutant)"
        for part in ("train", "test")
    ]
    return f"A training part held {texts[0]}, a test part {texts[1]}."


def _range(numbers: pd.Series) -> str:
    """`24`, or `24 to 25`."""
    least, most = numbers.min(), numbers.max()
    return f"{least}" if least == most else f"{least} to {most}"


def _unlabelled(rows: pd.DataFrame) -> str:
    """What those without an IDH status were used for."""
    unlabelled = rows.loc[rows["idh"].isna(), "subject"].nunique()
    text = "were trained on for the segmentation alone and never tested"
    return f"{count(unlabelled, 'subject')} without an IDH status {text}." if unlabelled else ""


def _scoring(worth: dict) -> str:
    """What the score of a patient was made of."""
    people = worth.get("patients", {})
    if not (entry(worth, "auc") and people.get("tests_each")):
        return ""
    fewest, most = people["tests_each"]
    if most == 1:
        text = "Each patient tested had one score."
    else:
        tests = f"{fewest} to {most}" if fewest != most else f"{most}"
        text = f"The score of a patient was the mean over the {tests} test parts that held the patient."
    never = people.get("num_never_tested", 0)
    return f"{text} {count(never, 'patient')} in no test part had no score." if never else text


def _software(versions: dict) -> str:
    """What was installed when the run began."""
    used = [f"{NAMES.get(name, name)} {version}" for name, version in versions.items()]
    return f"The run was made with {listed(used)}." if used else ""
