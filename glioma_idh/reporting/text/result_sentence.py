"""The result in plain sentences: first how it stands to age, lesion volume and grade, then the number."""

from glioma_idh.evaluation.worth import SURE
from glioma_idh.reporting.figures.canvas import SYNTHETIC_NOTE
from glioma_idh.reporting.tables.cells import comparison_cell, estimate_cell, known
from glioma_idh.reporting.text.words import listed
from glioma_idh.runs.run import Run

BEFORE_SURGERY, AFTER_SURGERY = ("age", "lesion volume"), "grade"
REVERSED = "The AUC is clearly below 0.5: scores or labels may be reversed."


def result_sentence(finished: Run) -> str:
    """What a report says first.

    Args:
        finished: the run, or the table alone.

    Returns:
        Two or three sentences: on age, lesion volume and grade where there are scores, else on Dice.
    """
    numbers, people = finished.worth, finished.worth["patients"]
    tested = f"{people['num_tested']} patients"
    start = f"{SYNTHETIC_NOTE}. " if finished.synthetic else ""
    if not finished.scored:
        return f"{start}{_segmentation(numbers, tested)}"
    who = f"{tested} ({people['num_mutant']} IDH-mutant), each tested by networks not trained on that patient"
    auc = numbers["auc"]["within_splits"]
    if not known(auc["value"]):
        return f"{start}The AUC of {finished.name} {auc['reason']}."
    who = who if finished.folder else tested
    how = f"AUC within splits {estimate_cell(auc)} in {who}."
    return f"{start}{_verdict(finished)} {how}{_segmentation_too(numbers)}"


def _verdict(finished: Run) -> str:
    """How the score stands to age and lesion volume, known before surgery, and to grade, which needs tissue."""
    baselines = finished.worth["baselines"]
    compared = {name for name, of in baselines.items() if known(of["difference"]["p"])}
    before = [_beside(name, baselines[name]) for name in BEFORE_SURGERY if name in compared]
    sentences = [REVERSED] if finished.worth["auc"]["reversed"] else []
    sentences += [f"{finished.name} has {listed(before)}."] if before else []
    sentences += [_not_compared(name, baselines[name]) for name in BEFORE_SURGERY if name not in compared]
    if AFTER_SURGERY in compared:
        beside = _beside(AFTER_SURGERY, baselines[AFTER_SURGERY])
        sentences.append(f"Grade, which needs tissue, is known after surgery: {finished.name} has {beside}.")
    else:
        sentences.append(_not_compared(f"{AFTER_SURGERY}, which needs tissue,", baselines[AFTER_SURGERY]))
    return " ".join(sentences)


def _beside(name: str, baseline: dict) -> str:
    """How the network stands to one baseline."""
    difference, auc = baseline["difference"], baseline["auc"]
    relation = "an AUC not shown to differ from that of"
    if difference["p"] < SURE:
        relation = "a higher AUC than" if difference["difference"] > 0 else "a lower AUC than"
    return f"{relation} {name} (AUC {auc['value']:.2f}; difference {comparison_cell(difference)})"


def _not_compared(name: str, baseline: dict) -> str:
    """Why the network is not compared with one baseline."""
    return f"The difference of AUC from {name} {baseline['difference']['reason']}."


def _segmentation(numbers: dict, tested: str) -> str:
    """Dice of a network for segmentation."""
    dice = numbers["segmentation"].get("dice")
    if not dice:
        return f"Nothing was measured in {tested}."
    return f"Mean Dice {estimate_cell(dice)} in {numbers['segmentation']['num_subjects']} subjects."


def _segmentation_too(numbers: dict) -> str:
    """Dice beside an AUC; "" where there is none."""
    dice = numbers["segmentation"].get("dice")
    return f" Mean Dice of its lesions {estimate_cell(dice)}." if dice else ""
