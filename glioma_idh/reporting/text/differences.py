"""How the settings of a run depart from those that its paper prints."""

from glioma_idh.papers import find_paper
from glioma_idh.reporting.text.words import spelled
from glioma_idh.runs import as_read

OF_COMPARATORS = ("shape", "splits", "num_splits")
WORDS = {  # of a setting in print, where its name will not do
    "shape": "input in voxels",
    "splits": "kind of splits",
    "num_splits": "number of splits",
    "test_fraction": "share of a test part",
    "min_test_mutants": "fewest mutants of a test part",
    "idh_learning_rate": "learning rate of the IDH block",
    "move_probability": "probability of flip and shift",
    "size": "pixels a side",
}


def unlike_published(settings: dict, with_cohort: bool = False) -> list[str]:
    """Settings of a run that are not those printed in its paper, each with both values.

    Args:
        settings: `recipe` of a run's recipe.json; of a comparator, those count that it shares with the paper's network.
        with_cohort: count another cohort too.

    Returns:
        `epochs 5 (published: 500)` and the like.
    """
    paper = find_paper(settings)
    if paper is None:
        return []
    names = paper.stated if settings.get("network", "sgpnet") == "sgpnet" else OF_COMPARATORS
    published = as_read(vars(paper.recipe))
    return [
        f"{WORDS.get(name, name.replace('_', ' '))} {spelled(name, settings[name])} "
        f"(published: {spelled(name, published[name])})"
        for name in names
        if name in settings and settings[name] != published[name] and (with_cohort or name != "cohort")
    ]
