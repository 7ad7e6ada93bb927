"""Short texts on a run, by topic, for the methods section, the model card and the reporting checklists.

Each checklist in `wording/checklists.csv` (`name, title, citation`; `read`: the source of its items; `num_items`,
including sub-items) has its items in `wording/NAME.csv`, summarised in our own words under their published numbers and
in the published order: `item, section, what`; `facts`: the topics of `run_facts` that answer it; `authors`: what only
the authors know.
"""

from importlib import resources
from pathlib import Path

import pandas as pd

from glioma_idh import cohorts
from glioma_idh.reporting.figures.canvas import SYNTHETIC_NOTE
from glioma_idh.reporting.tables.cells import known
from glioma_idh.reporting.text.numbers import number_values
from glioma_idh.reporting.text.rerun import unlike_published
from glioma_idh.reporting.text.templates import TEXTS, count, filled, has, listed, render_topics, spelled
from glioma_idh.runs.run import Run

SECTIONS = {  # of the methods: topics by heading
    "Patients": ("synthetic", "source", "reference", "masks", "exclusions"),
    "Images": ("images", "brain", "part"),
    "Network and training": (
        *("network", "balance", "augmentation", "loss", "optimiser", "regularisation", "precision", "selection"),
        "differences",
    ),
    "Training and test sets": ("splits", "disjoint", "sizes", "unlabelled", "output", "scoring"),
    "Statistics": ("discrimination", "thresholds", "calibration", "decision", "strata", "baselines", "segmentation"),
    "Software": ("software", "seeds"),
}
PACKAGES = {"glioma-idh": "glioma_idh", "python": "Python", "tensorflow": "TensorFlow", "keras": "Keras"}
PACKAGES |= {"numpy": "NumPy", "scipy": "SciPy", "nibabel": "NiBabel"}
MOST_KINDS = 5  # of evidence, or of reasons, that are listed
UNKNOWN, FOR_AUTHORS = "not available", "To be completed by the authors"
DEMOGRAPHICS = {"age_years": "age", "sex": "sex", "grade": "grade", "site": "site"}


def run_facts(run: Run) -> dict[str, str]:
    """All texts on a run, by topic (the blocks of the templates); "" or missing where the run lacks the information.

    The methods section, the checklists and the model card are made from them.
    """
    patients = patient_values(run)
    facts = render_topics(f"{TEXTS}/patients.j2", patients)
    if run.paper:
        settings = setting_values(run)
        facts |= render_topics(f"{TEXTS}/software.j2", settings, of_settings=True)
        facts |= render_topics(run.paper.method, settings | patients, of_settings=True)
    numbers = number_values(run.performance)
    facts |= render_topics(f"{TEXTS}/statistics.j2", numbers) | render_topics(f"{TEXTS}/numbers.j2", numbers)
    return facts | {"limits": " ".join(_limits(run, facts, numbers))}


def limits(run: Run) -> list[str]:
    """The limitations that follow from a run's settings and numbers, the most serious first."""
    return _limits(run, run_facts(run), number_values(run.performance))


def _limits(run: Run, facts: dict[str, str], numbers: dict) -> list[str]:
    small = sum(not known(row["auc"]) for row in numbers["strata"])
    unknown = [name for column, name in DEMOGRAPHICS.items() if not has(run.cohort, column)]
    values = {"facts": facts, "synthetic": run.synthetic, "num_small_groups": small, "unknown": unknown}
    return [text for text in render_topics(f"{TEXTS}/limits.j2", numbers | values).values() if text]


def methods_text(run: Run, with_exclusions: bool = True) -> str:
    """The methods section of a run, in the past tense, as paragraphs separated by blank lines.

    Information that the run lacks is left out; so are the exclusions, unless `with_exclusions`.
    """
    facts, paragraphs = run_facts(run) | ({} if with_exclusions else {"exclusions": ""}), []
    for heading, topics in SECTIONS.items():
        text = " ".join(facts[topic] for topic in topics if facts.get(topic))
        paragraphs += [f"{heading}. {text}"] if text else []
    return "\n\n".join(paragraphs)


def setting_values(run: Run) -> dict:
    """A run's settings for the templates: formatted for print under their names, and unchanged in `raw`."""
    settings = run.settings
    words = {name: spelled(name, value) for name, value in settings.items()}
    if settings.get("split_seed") is None and "seed" in settings:
        words["split_seed"] = words["seed"]
    return words | {
        "raw": settings,
        "raw_network": settings.get("network", "sgpnet"),
        "module": run.paper.module,
        "recipe": run.recipe,
        "versions": run.recipe.get("versions", {}),
        "compared": settings.get("network", "sgpnet") == "sgpnet",
        "unlike": unlike_published(settings, with_cohort=True),
        "all_stated": set(run.paper.stated) <= settings.keys(),
    }


def patient_values(run: Run) -> dict:
    """The patients and their splits for the templates."""
    cohort, name = run.cohort, run.settings.get("cohort", "")
    status, versions = cohort.groupby("patient")["idh"].max(), run.recipe.get("versions", {})
    patients = cohort.drop_duplicates("patient")
    ages = pd.to_numeric(patients.get("age_years", pd.Series(dtype=float)), errors="coerce").dropna()
    sites = _as_text(cohort["site"]) if has(cohort, "site") else None
    described = [column for column in ("grade", "sex") if has(patients, column)]
    unknown = [column for column in ("grade", "sex") if column not in described] + ([] if len(ages) else ["age"])
    characteristics = {}  # by column: each value, its patients, and how many of them are IDH-mutant
    for column in described:
        by_value = patients.assign(value=_as_text(patients[column])).groupby("value")["idh"]
        texts = [
            f"{value} in {count(len(idh), 'patient')} ({int((idh == 1).sum())} IDH-mutant)" for value, idh in by_value
        ]
        characteristics[column] = texts
    return {
        "raw": run.settings,
        "synthetic": run.synthetic,
        "synthetic_note": SYNTHETIC_NOTE,
        "collection": cohorts.title(name) or (f"the table {Path(name).name}" if name else ""),
        "num_examinations": len(cohort),
        "num_subjects": len(cohort),
        "num_patients": len(status),
        "num_mutant": int((status == 1).sum()),
        "num_wild_type": int((status == 0).sum()),
        "num_unknown": int(status.isna().sum()),
        "has_masks": has(cohort, "lesion_mask"),
        "num_brain_masks": int(filled(cohort, "brain_mask").sum()),
        "characteristics": characteristics,
        "ages": ages,
        "uncharacterised": unknown,
        "num_sites": None if sites is None else sites[sites != UNKNOWN].nunique(),
        "versions": versions,
        "used": [f"{PACKAGES.get(package, package)} {version}" for package, version in versions.items()],
        **_evidence_values(cohort),
        **_exclusion_values(run.exclusions),
        **_split_values(run.splits, cohort),
    }


def _as_text(cells: pd.Series) -> pd.Series:
    """Cells such as grades as text, `4.0` as 4."""
    return cells.astype(object).fillna("").astype(str).str.strip().str.removesuffix(".0").replace("", UNKNOWN)


def _evidence_values(cohort: pd.DataFrame) -> dict:
    """The evidence for each IDH status, the most frequent kinds with their counts."""
    if not has(cohort, "idh_evidence"):
        return {"planted": False, "evidence": None}
    labelled, evidence = cohort[cohort["idh"].notna()], {}
    for idh in (0, 1):
        kinds = labelled.loc[labelled["idh"] == idh, "idh_evidence"].replace("", "not recorded").value_counts()
        others = int(kinds.iloc[MOST_KINDS:].sum())
        shown = [f'"{kind}" ({number})' for kind, number in kinds.head(MOST_KINDS).items()]
        shown += [f"other evidence ({others})"] if others else []
        evidence[idh] = listed(shown) if shown else "none"
    return {"planted": bool((labelled["idh_evidence"] == "planted").all()), "evidence": evidence}


def _exclusion_values(exclusions: pd.DataFrame | None) -> dict:
    """The number of excluded subjects, and the most frequent reasons."""
    if exclusions is None or exclusions.empty:
        return {"num_excluded": None if exclusions is None else 0}
    kinds = exclusions.groupby(["expected", "found"]).size().sort_values(ascending=False)
    others = int(kinds.iloc[MOST_KINDS:].sum())
    first = kinds.head(MOST_KINDS).items()
    reasons = [f"expected {expected}, found {found} ({number})" for (expected, found), number in first]
    return {"num_excluded": len(exclusions), "reasons": [*reasons, f"other reasons ({others})"] if others else reasons}


def _split_values(splits: pd.DataFrame, cohort: pd.DataFrame) -> dict:
    """Patients in both parts of a split, sizes of the training and test sets, and subjects without a label."""
    rows = splits.merge(cohort[["subject", "patient", "idh"]], on="subject")
    if not {"train", "test"} <= set(rows["part"]):
        return {}
    by_part = rows.groupby(["repeat", "split", "part", "patient"])["idh"].max().groupby(["repeat", "split", "part"])
    ranges = {}  # `24`, or `24 to 25`
    for name, numbers in {"sizes": by_part.size(), "mutants": by_part.sum().astype(int)}.items():
        ends = numbers.groupby("part").agg(["min", "max"])
        ranges[name] = {part: " to ".join(map(str, dict.fromkeys(ends.loc[part]))) for part in ("train", "test")}
    return ranges | {
        "num_in_both": int((rows.groupby(["repeat", "split", "patient"])["part"].nunique() > 1).sum()),
        "num_unlabelled": rows.loc[rows["idh"].isna(), "subject"].nunique(),
    }


def read_items(name: str) -> pd.DataFrame:
    """Read one of the tables in `wording`, as text."""
    file = resources.files("glioma_idh.reporting.text") / "wording" / f"{name}.csv"
    with file.open(encoding="utf-8") as lines:
        return pd.read_csv(lines, dtype=str, keep_default_na=False)


CHECKLISTS = {row.name: row for row in read_items("checklists").astype({"num_items": int}).itertuples()}


def checklist_table(name: str, facts: dict[str, str]) -> pd.DataFrame:
    """Fill in one of CHECKLISTS from `run_facts` (topics may be missing): columns `item, what, answer`, as text."""
    items = read_items(name)
    columns = zip(items["facts"], items["authors"], strict=True)
    answers = [answer(topics.split(), authors, facts) for topics, authors in columns]
    return items[["item", "what"]].assign(answer=answers)


def answer(topics: list[str], authors: str, facts: dict[str, str]) -> str:
    """The answer to a checklist item: the texts on these topics, then what the authors must add (`authors`, if any)."""
    known = [facts[topic] for topic in topics if facts.get(topic)]
    if not known:
        return f"{FOR_AUTHORS}: {authors}." if authors else f"{FOR_AUTHORS}."
    return " ".join([*known, f"{FOR_AUTHORS}: {authors}."] if authors else known)
