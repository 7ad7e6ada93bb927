"""The most confident wrong predictions with their images, and the choice of cases for the viewer."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from glioma_idh.cohorts.table import SEQUENCES
from glioma_idh.evaluation.metrics import has_values
from glioma_idh.reporting.figures import sheet
from glioma_idh.reporting.figures.canvas import GREY, GROUPS, NORMAL, SMALL, display_name
from glioma_idh.reporting.figures.cases import Case, choose_by_dice, is_slice, read_cases
from glioma_idh.reporting.figures.overlays import GAP, NOTE, draw_view, outline_entries
from glioma_idh.reporting.figures.sheet import LINE

ACROSS, WIDEST = 3, 7.1  # subjects per row (more if they all fit in one row); inches
SLICE, VIEW = 1.6, 1.12  # width of a slice, and of an image of a volume, inches
LETTER, BETWEEN, TEXT = 0.068, 0.1, 3 * LINE + 0.03  # inches: width of a letter, between subjects, above an image
VOLUMES_SHOWN = ("flair", "t1gd")
TITLE = "Most confident wrong predictions"
SLICES_NOTE = (
    "Slices as the network receives them, all in the same grey window. Blue: outside the lesion mask (set to 0). "
    "The patient's right is on the left, anterior at the top."
)
VOLUMES_NOTE = f"Axial slice through the lesion's centre. {NOTE}"
NONE_WRONG = "All tested subjects were predicted correctly at a threshold of 0.5."


def confident_mistakes(predictions: pd.DataFrame, count: int = 6) -> list[str]:
    """The wrongly predicted subjects (threshold 0.5) with scores farthest from 0.5; IDH-mutant subjects first.

    If a subject was tested several times, the mean score counts; rows without a label or a score are left out. Half of
    the `count` subjects are of each class; if one class has fewer, the other fills up.
    """
    wrong = _mistakes(_mean_scores(predictions))
    mutant, wild_type = (wrong.index[wrong["truth"] == truth].tolist() for truth in (1, 0))
    mutant = mutant[: max((count + 1) // 2, count - len(wild_type))]
    return [*mutant, *wild_type[: count - len(mutant)]]


def _mean_scores(predictions: pd.DataFrame) -> pd.DataFrame:
    """`truth`, mean `score` and number of `tests` by subject, for subjects that have both label and score."""
    known = predictions.dropna(subset=["truth", "score"])
    return known.groupby("subject").agg(truth=("truth", "max"), score=("score", "mean"), tests=("score", "size"))


def _mistakes(scores: pd.DataFrame) -> pd.DataFrame:
    """The subjects whose mean score is wrong, the most confident one first."""
    wrong = scores[(scores["score"] >= 0.5) != (scores["truth"] == 1)]
    return wrong.loc[(wrong["score"] - 0.5).abs().sort_values(ascending=False, kind="stable").index]


def mistakes_text(predictions: pd.DataFrame, count: int = 6) -> str:
    """Alternative text of `mistakes_figure`."""
    scores, chosen = _mean_scores(predictions), confident_mistakes(predictions, count)
    if not chosen:
        return NONE_WRONG
    each = [f"{s} (IDH-{GROUPS[int(scores.at[s, 'truth'])][0]}, score {scores.at[s, 'score']:.2f})" for s in chosen]
    return f"{TITLE}, {len(chosen)} of {len(_mistakes(scores))}: {'; '.join(each)}."


def mistakes_figure(folder: Path, cohort, predictions, *, count=6, synthetic=False) -> tuple[Figure | None, str]:
    """Figure of the most confident wrong predictions with score, grade and age: slices, or two sequences with outlines.

    Returns the figure or None, and a sentence on subjects that are not shown and why ("" if all are shown).
    """
    scores, chosen = _mean_scores(predictions), confident_mistakes(predictions, count)
    if not chosen:
        return None, NONE_WRONG
    cases, gone = read_cases(folder, cohort, predictions, chosen)
    if not cases:
        return None, f"The most confident wrong predictions are not shown. {gone[0]}"
    rows = cohort.drop_duplicates("subject").set_index("subject")
    words = {}  # text between the id of a subject and its images
    for subject in cases:
        _, score, tests = scores.loc[subject]
        cells = (rows.loc[subject].get(name) for name in ("grade", "age_years"))
        grade, age = ("" if pd.isna(cell) else str(cell).removesuffix(".0") for cell in cells)
        grade = grade if grade.isalpha() else f"grade {grade or 'unknown'}"
        tests = f", mean of {tests:.0f} tests" if tests > 1 else ""
        words[subject] = f"score {score:.2f}{tests}\n{grade}, {f'{age} years' if age else 'age unknown'}"
    return _draw(cases, words, _mistakes(scores)["truth"], synthetic), " ".join(gone)


def _draw(cases: dict[str, Case], words: dict[str, str], wrong: pd.Series, synthetic: bool) -> Figure:
    """Draw a heading per class with its subjects below; `wrong` holds the labels of all wrong predictions."""
    groups = {truth: [subject for subject in cases if wrong[subject] == truth] for truth in (1, 0)}
    flat = is_slice(next(iter(cases.values())))
    names = [name for name in SEQUENCES if all(name in case.images for case in cases.values())]
    names = [name for name in VOLUMES_SHOWN if name in names] or names[:1]
    width_mm, height_mm = np.max([case.size_mm[:2] for case in cases.values()], axis=0)
    scale = VIEW / max(width_mm, height_mm)
    width, row = (SLICE, SLICE) if flat else (len(names) * (VIEW + GAP) - GAP, height_mm * scale)
    fit = int((WIDEST + BETWEEN) / (width + BETWEEN))
    across = fit if max(map(len, groups.values())) == fit else min(fit, ACROSS)
    step = width + BETWEEN, TEXT + row + BETWEEN
    corners, headings, height = sheet.place_groups(groups, across, step, 1.6 * LINE, BETWEEN)
    total = max(x for x, _ in corners.values()) + width
    title, note = f"{TITLE}: {' and '.join(map(display_name, names))}", SLICES_NOTE if flat else VOLUMES_NOTE
    # slices have no legend
    figure, axes = sheet.new_sheet(max(total + 0.1, 4.0), height - LINE * flat, title, note, synthetic)
    for truth, y in headings.items():
        (name, colour), called, members = GROUPS[truth], GROUPS[1 - truth][0], groups[truth]
        heading = f"IDH-{name}, predicted {called}: {len(members)} of {(wrong == truth).sum()}"
        axes.text(0, y, heading, fontsize=NORMAL, fontweight="bold", color=colour, va="top")
    slices = [case.images[name].ravel() for case in cases.values() for name in names if flat]
    window = sheet.inner_window(np.concatenate([np.zeros(1, np.float32), *slices]))
    for subject, (x, y) in corners.items():
        case, top = cases[subject], y + TEXT
        axes.text(x, y, sheet.short_id(subject, int(width / LETTER)), fontsize=SMALL, fontweight="bold", va="top")
        axes.text(x, y + LINE, words[subject], fontsize=SMALL, color=GREY, va="top")
        for n, name in enumerate(names):
            left = x + n * (VIEW + GAP)
            if flat:
                image = np.ma.masked_equal(case.images[name][..., 0], 0)
                sheet.show(axes, image, window, (left, left + SLICE, top + SLICE, top))
            else:
                draw_view(axes, case, name, "axial", (left, top, VIEW, row), scale)
    sheet.close_sheet(axes, total, height, [] if flat else outline_entries(list(cases.values())))
    return figure


def viewer_cases(folder: Path, cohort, predictions, count: int = 6) -> tuple[dict[str, Case], list[str]]:
    """Read the first `count` of `choose_cases`, by reason and subject (`Best Dice: S12`); and say what is missing."""
    chosen = dict(list(choose_cases(predictions).items())[:count])
    cases, gone = read_cases(folder, cohort, predictions, list(chosen))
    return {f"{chosen[subject]}: {subject}": case for subject, case in cases.items()}, gone


def choose_cases(predictions: pd.DataFrame) -> dict[str, str]:
    """Choose subjects for the viewer, the most informative first, each with its reason or reasons."""
    scores, whys = _mean_scores(predictions), []
    for subject in confident_mistakes(predictions, 2):
        truth = int(scores.at[subject, "truth"])
        whys.append((subject, f"Most confident wrong prediction, {GROUPS[truth][0]} predicted {GROUPS[1 - truth][0]}"))
    if has_values(predictions, "dice"):
        whys += [(subject, f"{name} Dice") for name, subject in choose_by_dice(predictions).items()]
    right = scores[(scores["score"] >= 0.5) == (scores["truth"] == 1)].sort_values("score", kind="stable")
    for truth, end in ((1, -1), (0, 0)):
        of_class = right.index[right["truth"] == truth]
        if len(of_class):
            whys.append((of_class[end], f"Most confident correct {GROUPS[truth][0]}"))
    chosen = {}
    for subject, why in whys:
        chosen[subject] = f"{chosen[subject]}; {why[0].lower()}{why[1:]}" if subject in chosen else why
    return chosen
