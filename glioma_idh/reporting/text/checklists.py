"""Reviewers' checklists, each item in our own short words with its published number, answered as far as a run can.

The items lie in `wording/*.csv`: `item, section, what, facts` (topics of `facts.run_facts` that answer it) and
`authors`, what only the authors know. Each list was written from the published one, whole, as CHECKLISTS says.
"""

from importlib import resources
from typing import NamedTuple

import pandas as pd

FOR_AUTHORS = "For the authors"


class Checklist(NamedTuple):
    """Where a checklist was published, and where it was read.

    Attributes:
        title: of the checklist.
        citation: of its paper.
        read: the text from which the items were written.
        num_items: how many it has, sub-items counted.
    """

    title: str
    citation: str
    read: str
    num_items: int


CHECKLISTS = {
    "claim_2024": Checklist(
        "CLAIM 2024",
        "Tejani AS, Klontzas ME, Gatti AA, et al. Checklist for Artificial Intelligence in Medical Imaging (CLAIM): "
        "2024 Update. Radiol Artif Intell 2024;6(4):e240300, doi 10.1148/ryai.240300",
        "the checklist on the guideline's companion site of the Radiological Society of North America, "
        "rsna.github.io/claim (RSNA/CLAIM, docs/checklist.md)",
        44,
    ),
    "tripod_ai": Checklist(
        "TRIPOD+AI",
        "Collins GS, Moons KGM, Dhiman P, et al. TRIPOD+AI statement: updated guidance for reporting clinical "
        "prediction models that use regression or machine learning methods. BMJ 2024;385:e078378, "
        "doi 10.1136/bmj-2023-078378",
        "table 2 of the statement (PMC11019967, CC BY) in three transcriptions that agree item by item, one of them "
        "huhsoleil/tripod-ai-writer, references/tripod_ai_checklist.md",
        52,
    ),
    "metrics": Checklist(
        "METRICS",
        "Kocak B, Akinci D'Antonoli T, Mercaldo N, et al. METhodological RadiomICs Score (METRICS): a quality scoring "
        "tool for radiomics research endorsed by EuSoMII. Insights Imaging 2024;15:8, doi 10.1186/s13244-023-01572-w",
        "table 1 of the paper, and the authors' METRICS-E3, radiomic.github.io/METRICS-E3 (docs/METRICS tool.md)",
        30,
    ),
}


def read_items(name: str) -> pd.DataFrame:
    """The items of a checklist.

    Args:
        name: one of CHECKLISTS.

    Returns:
        Text in the columns `item, section, what, facts, authors`, in the published order.
    """
    file = resources.files("glioma_idh.reporting.text") / "wording" / f"{name}.csv"
    with file.open(encoding="utf-8") as lines:
        return pd.read_csv(lines, dtype=str, keep_default_na=False)


def checklist_table(name: str, facts: dict[str, str]) -> pd.DataFrame:
    """A checklist with a run's answers.

    Args:
        name: one of CHECKLISTS.
        facts: what `facts.run_facts` gives; topics may be missing.

    Returns:
        Text in the columns `item, what, answer`; `For the authors` where the run does not know.
    """
    items = read_items(name)
    columns = zip(items["facts"], items["authors"], strict=True)
    answers = [answer(topics.split(), authors, facts) for topics, authors in columns]
    return items[["item", "what"]].assign(answer=answers)


def answer(topics: list[str], authors: str, facts: dict[str, str]) -> str:
    """What a run knows of an item, and what is left to the authors.

    Args:
        topics: of the facts that answer it.
        authors: what only they know; "" where the facts are all.
        facts: by topic.
    """
    known = [facts[topic] for topic in topics if facts.get(topic)]
    if not known:
        return f"{FOR_AUTHORS}: {authors}." if authors else f"{FOR_AUTHORS}."
    return " ".join([*known, f"{FOR_AUTHORS}: {authors}."] if authors else known)
