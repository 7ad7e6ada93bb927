"""The model card of a run in Markdown: intended use, training data, performance and limitations of its networks."""

import pandas as pd

from glioma_idh.reporting.names import baseline_name
from glioma_idh.reporting.tables.cells import comparison_cell, estimate_cell, known, proportion_cell
from glioma_idh.reporting.text.cautions import cautions
from glioma_idh.reporting.text.facts import limits, run_facts, setting_values
from glioma_idh.reporting.text.numbers import number_values
from glioma_idh.reporting.text.templates import TEXTS, count, render, render_block
from glioma_idh.runs.run import Run

SOFTWARE = "The glioma_idh authors. glioma_idh: IDH genotype of gliomas from MRI."


def model_card(run: Run) -> str:
    """The model card of a run, in Markdown."""
    paper, load = run.paper, ["import keras", "", 'network = keras.models.load_model("split_1/model.keras")']
    if paper:
        load.append(render_block(paper.method, "load", setting_values(run), of_settings=True).strip())
    values = {
        "title": " ".join(word for word in (run.name, f"({paper.module})" if paper else "") if word),
        "facts": run_facts(run),
        "cautions": cautions(run),
        "numbers": _numbers(number_values(run.performance)),
        "baselines": _baselines(number_values(run.performance)["baselines"]),
        "limits": limits(run),
        "load": "\n".join(load),
        "networks": count(run.settings.get("num_splits", 0), "network") + ", one per split",
        "citations": [SOFTWARE, *([paper.citation] if paper else [])],
    }
    return render(f"{TEXTS}/model_card.md.j2", values)


def _numbers(values: dict) -> str:
    """The performance in all tested patients, as a table."""
    people, auc, rates = values["patients"], values["auc"], values["rates"].get("0.5", {})
    rows = {"patients tested": f"{people.get('num_tested', 'not available')} ({people.get('num_mutant')} IDH-mutant)"}
    if auc:
        rows |= {"AUC within splits": estimate_cell(auc["within_splits"]), "AUC, pooled": estimate_cell(auc["pooled"])}
    rows |= {name: estimate_cell(values["performance"][key]) for key, name in values["scores"].items()}
    names = values["rate_names"].items()
    rows |= {f"{name}, threshold 0.5": proportion_cell(rates[key]) for key, name in names if key in rates}
    rows |= {
        ", ".join(filter(None, (name, unit.strip()))): estimate_cell(of)
        for name, (unit, of) in values["lesions"].items()
    }
    return pd.DataFrame(list(rows.items()), columns=["measure", "value (95 % CI)"]).to_markdown(index=False)


def _baselines(baselines: dict) -> str:
    """The baselines and the difference of the network from each, as a table."""
    rows = []
    for name, of in baselines.items():
        difference = comparison_cell(of["difference"]) if known(of["auc"]["value"]) else "-"
        rows.append((of["stage"], baseline_name(name), estimate_cell(of["auc"]), difference))
    columns = ["available", "baseline", "AUC within splits (95 % CI)", "network minus baseline (95 % CI), p after Holm"]
    return pd.DataFrame(rows, columns=columns).to_markdown(index=False)
