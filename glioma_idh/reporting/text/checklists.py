"""Reviewers' checklists, each item in our own short words with its published number, answered as far as a run can.

Each list of `wording/checklists.csv` (`name, title, citation`; `read`, the text that its items were written from,
whole; `num_items`, sub-items counted) has its items in `wording/NAME.csv`: `item, section, what, facts` (topics of
`facts.run_facts` that answer it) and `authors`, what only the authors know; in the published order.
"""

from importlib import resources

import pandas as pd

FOR_AUTHORS = "For the authors"


def read_items(name: str) -> pd.DataFrame:
    """One of the tables in `wording`, as text."""
    file = resources.files("glioma_idh.reporting.text") / "wording" / f"{name}.csv"
    with file.open(encoding="utf-8") as lines:
        return pd.read_csv(lines, dtype=str, keep_default_na=False)


CHECKLISTS = {row.name: row for row in read_items("checklists").astype({"num_items": int}).itertuples()}


def checklist_table(name: str, facts: dict[str, str]) -> pd.DataFrame:
    """One of CHECKLISTS, text in the columns `item, what, answer`, from `facts.run_facts` (topics may be missing)."""
    items = read_items(name)
    columns = zip(items["facts"], items["authors"], strict=True)
    answers = [answer(topics.split(), authors, facts) for topics, authors in columns]
    return items[["item", "what"]].assign(answer=answers)


def answer(topics: list[str], authors: str, facts: dict[str, str]) -> str:
    """What a run knows of an item by these topics of its facts, and what is left to the authors, "" for nothing."""
    known = [facts[topic] for topic in topics if facts.get(topic)]
    if not known:
        return f"{FOR_AUTHORS}: {authors}." if authors else f"{FOR_AUTHORS}."
    return " ".join([*known, f"{FOR_AUTHORS}: {authors}."] if authors else known)
