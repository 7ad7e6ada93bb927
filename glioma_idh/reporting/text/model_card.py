"""The model card of a run in Markdown: what its networks are for, what they learnt from, what they are worth."""

from importlib import resources

import jinja2
import pandas as pd

from glioma_idh.reporting.tables.cells import comparison_cell, estimate_cell, known, proportion_cell
from glioma_idh.reporting.text.cautions import cautions
from glioma_idh.reporting.text.facts import run_facts
from glioma_idh.reporting.text.limits import limits
from glioma_idh.reporting.text.methods import count
from glioma_idh.reporting.text.number_sentences import LESIONS, RATES
from glioma_idh.reporting.text.statistics_sentences import SCORES, entry

SOFTWARE = "The glioma_idh authors. glioma_idh: IDH genotype of gliomas from MRI."
PAPERS = {
    "gbm2d": "Pasquini L, and co-authors. Deep Learning Can Differentiate IDH-Mutant from IDH-Wild GBM. Journal of "
    "Personalized Medicine 2021;11(4):290, doi 10.3390/jpm11040290; preprint arXiv 2102.13205.",
    "sgp3d": "Wang, and co-authors. SGPNet: A Three-Dimensional Multitask Residual Framework for Segmentation and IDH "
    "Genotype Prediction of Gliomas. Computational Intelligence and Neuroscience 2021.",
}
NO_SPLITS = pd.DataFrame(columns=["subject", "repeat", "split", "part"])


def model_card(
    recipe: dict,
    worth: dict,
    cohort: pd.DataFrame,
    splits: pd.DataFrame | None = None,
    exclusions: pd.DataFrame | None = None,
    name: str = "",
) -> str:
    """The model card of a run.

    Args:
        recipe: content of `recipe.json`.
        worth: what `evaluation.worth.worth` gives.
        cohort: cohort table of those used.
        splits: `subject, repeat, split, part`, where they are at hand.
        exclusions: who was set aside and why, where that is known.
        name: of the network or sequence, for the title.

    Returns:
        Markdown.
    """
    settings = recipe.get("recipe", {})
    paper = settings.get("paper", "")
    facts = run_facts(recipe, cohort, NO_SPLITS if splits is None else splits, worth, exclusions)
    template = _environment().from_string(_read("model_card.md.j2"))
    return template.render(
        title=" ".join(word for word in (name, f"(glioma_idh.{paper})") if word),
        facts=facts,
        cautions=cautions(settings, worth),
        numbers=_numbers(worth),
        baselines=_baselines(entry(worth, "baselines")),
        limits=limits(settings, cohort, worth),
        load=_load(settings),
        networks=count(settings.get("num_splits", 0), "network") + ", one a split",
        citations=[SOFTWARE, *([PAPERS[paper]] if paper in PAPERS else [])],
    )


def _environment() -> jinja2.Environment:
    """Jinja with `said`: the sentences that there are, in one line."""
    environment = jinja2.Environment(keep_trailing_newline=True, trim_blocks=True, autoescape=False)
    environment.filters["said"] = lambda sentences: " ".join(sentence for sentence in sentences if sentence)
    return environment


def _read(name: str) -> str:
    """A text of `wording/`."""
    return (resources.files("glioma_idh.reporting.text") / "wording" / name).read_text(encoding="utf-8")


def _numbers(worth: dict) -> str:
    """The numbers of all tested patients together, as a table."""
    people, auc = worth.get("patients", {}), entry(worth, "auc")
    rows = {"patients tested": f"{people.get('num_tested', 'not known')}, {people.get('num_mutant')} IDH-mutant"}
    if auc:
        rows |= {"AUC within splits": estimate_cell(auc["within_splits"]), "AUC, pooled": estimate_cell(auc["pooled"])}
    rows |= {noun: estimate_cell(worth[key]) for key, noun in SCORES.items() if entry(worth, key)}
    rates = entry(worth, "rates").get("0.5", {})
    rows |= {f"{noun}, from 0.5 on": proportion_cell(rates[key]) for key, noun in RATES.items() if key in rates}
    measured = entry(worth, "segmentation")
    rows |= {f"{noun}{unit}": estimate_cell(measured[key]) for key, (noun, unit) in LESIONS.items() if key in measured}
    return pd.DataFrame(list(rows.items()), columns=["number", "value (95 % interval)"]).to_markdown(index=False)


def _baselines(baselines: dict) -> str:
    """The baselines, as a table."""
    rows = [
        (
            of["stage"],
            name,
            estimate_cell(of["auc"]),
            comparison_cell(of["difference"]) if known(of["auc"]["value"]) else "-",
        )
        for name, of in baselines.items()
    ]
    columns = ["known", "baseline", "AUC within splits (95 %)", "AUC of the network less it, p after Holm"]
    return pd.DataFrame(rows, columns=columns).to_markdown(index=False)


def _load(settings: dict) -> str:
    """Python that loads a network and asks it."""
    lines = ["import keras", "", 'network = keras.models.load_model("split_1/model.keras")']
    if settings.get("paper") == "gbm2d":
        size = settings.get("size", 64)
        return "\n".join(
            [*lines, f"probability = network.predict(slices)[:, 1]  # slices: shape (n, {size}, {size}, 1)"]
        )
    if settings.get("paper") != "sgp3d":
        return "\n".join(lines)
    network, shape = settings.get("network", "sgpnet"), settings.get("shape", ["i", "j", "k"])
    shape = shape[:2] if network == "resnet2d" else shape
    sides = ", ".join(map(str, shape))
    lines.append(f"outputs = network.predict(scans)  # scans: shape (n, {sides}, 4): T1, T1Gd, T2, FLAIR")
    if settings.get("targets") != "segmentation":
        lines.append('probability = outputs["idh"][:, 0]  # of an IDH mutation')
    if settings.get("targets") in ("both", "segmentation"):
        lines.append('lesion = outputs["segmentation"][..., 1]  # probability of each voxel')
    return "\n".join(lines)
