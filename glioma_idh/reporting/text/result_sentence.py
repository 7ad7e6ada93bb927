"""The result in plain sentences."""

from glioma_idh.evaluation.worth import SURE
from glioma_idh.reporting.figures.canvas import SYNTHETIC_NOTE
from glioma_idh.reporting.tables.cells import known
from glioma_idh.reporting.text.templates import TEXTS, render_topics
from glioma_idh.reporting.text.words import entry
from glioma_idh.runs.run import Run


def result_sentence(run: Run) -> str:
    """What a report says first: two or three sentences of a run, or of a table alone.

    They are on age, lesion volume and grade where there are scores, else on Dice.
    """
    baselines = entry(run.worth, "baselines")
    compared = [name for name, of in baselines.items() if known(of["difference"]["p"])]
    values = {"run": run, "worth": run.worth, "patients": run.worth["patients"], "baselines": baselines}
    values |= {"compared": compared, "sure": SURE, "synthetic_note": SYNTHETIC_NOTE}
    return render_topics(f"{TEXTS}/result.j2", values)["result"]
