"""The result in plain sentences: first whether it beats what is known without an image, then the number."""

from glioma_idh.reporting.canvas import SYNTHETIC_NOTE
from glioma_idh.reporting.cells import comparison_cell, estimate_cell, known
from glioma_idh.reporting.report.finished import Finished


def result_sentence(finished: Finished) -> str:
    """What a report says first.

    Args:
        finished: the run, or the table alone.

    Returns:
        Two or three sentences: on the baselines without images where there are scores, else on Dice.
    """
    numbers, people = finished.worth, finished.worth["patients"]
    tested = f"{people['num_tested']} patients"
    start = f"{SYNTHETIC_NOTE}. " if finished.synthetic else ""
    if not finished.scored:
        return f"{start}{_segmentation(numbers, tested)}"
    who = f"{tested} ({people['num_mutant']} IDH-mutant), none of whom a network was trained on when it was tested"
    auc = numbers["auc"]["delong"]
    if not known(auc["value"]):
        return f"{start}The AUC of {finished.name} {auc['reason']}."
    value = f"an AUC of {estimate_cell(auc)}"
    how = f"{finished.name} reaches {value} in {who}." if finished.folder else f"AUC {estimate_cell(auc)} in {tested}."
    return f"{start}{_verdict(finished)} {how}{_segmentation_too(numbers)}"


def _verdict(finished: Finished) -> str:
    """Whether the network beats the baselines without images, and which not."""
    verdict, baselines = finished.worth["beats_baselines"], finished.worth["baselines"]
    if verdict["verdict"] == "cannot be computed":
        return f"Whether {finished.name} beats what is known without a network {verdict['reason']}."
    unknown = f"; not compared: {verdict['reason']}" if verdict["reason"] else ""
    compared = [name for name, of in baselines.items() if name != "majority" and not of["difference"]["reason"]]
    if verdict["verdict"] == "beats all":
        return f"{finished.name} beats what could be compared without a network ({', '.join(compared)}{unknown})."
    strongest = max(verdict["not_beaten"], key=lambda name: _auc(baselines[name]))
    difference = comparison_cell(baselines[strongest]["difference"])
    how = "is worse than" if strongest in verdict["worse"] else "does not beat"
    others = ", ".join(name for name in verdict["not_beaten"] if name != strongest)
    more = f" (nor does it beat {others})" if others else ""
    return (
        f"{finished.name} {how} {strongest}, without a network{more}: that has an "
        f"AUC of {_auc(baselines[strongest]):.2f}, the network's differs by {difference}."
    )


def _auc(baseline: dict) -> float:
    """Of a baseline; below all where it has none."""
    return baseline["auc"]["value"] if known(baseline["auc"]["value"]) else -1.0


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
