"""Explain the scores of a finished run by occlusion and activation maps; the command `occlude`."""

from itertools import chain, zip_longest
from pathlib import Path

import numpy as np
import pandas as pd

from glioma_idh import runs
from glioma_idh.cohorts.scans import read_mask, read_scan
from glioma_idh.errors import InputError
from glioma_idh.evaluation.comparisons import compare_auc
from glioma_idh.evaluation.intervals import split_auc_estimate
from glioma_idh.files import write_json, write_table
from glioma_idh.imaging.volumes import reorient, write_volume
from glioma_idh.progress import progress, step
from glioma_idh.record import into
from glioma_idh.reporting.figures.attribution import (
    map_overlay,
    occluded_head_line,
    occluded_scores_figure,
    occlusion_text,
)
from glioma_idh.reporting.figures.canvas import save_figure
from glioma_idh.reporting.figures.cases import Case
from glioma_idh.sgp3d.cache import CachedSubject, restore_cohort
from glioma_idh.sgp3d.inference import input_shape
from glioma_idh.sgp3d.occlude import Occlusion
from glioma_idh.sgp3d.occlusion import SCORES, Brain, activation_map, find_regions, score_occluded
from glioma_idh.sgp3d.preprocessing import map_on_own_grid
from glioma_idh.sgp3d.recipe import recipe_of_run
from glioma_idh.training.predict import load_networks, read_finished_run

COLUMNS = ["subject", "patient", "cohort", "repeat", "split", "truth", *SCORES, "lesion_drawn"]


def occlude_run(wanted: Occlusion) -> dict:
    """Score the test subjects of a run after occlusion of the lesion or the rest, and write activation maps.

    Returns the content of `metrics.json` (`summarise_occlusion`).
    """
    if wanted.num_maps < 0:
        raise InputError("--num-maps of at least 0", str(wanted.num_maps), "Give another number.")
    content, synthetic = read_finished_run(wanted.run_dir, "sgp3d")
    recipe, out = recipe_of_run(content), wanted.out or wanted.run_dir / "occlusion"
    into(out)
    if "idh" not in recipe.learns:
        advice = "Choose a run with --targets both, idh or random-masks."
        expected, found = "a run whose networks predict IDH", "a run of segmentation only"
        raise InputError(expected, found, advice, file=wanted.run_dir)
    if recipe.reads_slices:
        found, advice = f"{recipe.network}, which reads slices", "Choose a run of another network."
        raise InputError("a network that reads volumes", found, advice, file=wanted.run_dir)
    tested = _tested_subjects(wanted, recipe.shape)
    networks = load_networks(wanted.run_dir, input_shape(recipe))
    for index, network in enumerate(networks):
        if "idh" not in network.output_names:
            file, found = runs.split_folder(wanted.run_dir, index) / runs.MODEL, ", ".join(network.output_names)
            advice = "The file belongs to another run: restore the original, or train again."
            raise InputError("a network with the output idh", found, advice, file=file)

    predictions = score_tested(tested, networks, wanted.seed, wanted.quiet)
    metrics = {"synthetic": synthetic, **summarise_occlusion(predictions)}
    write_table(predictions, out / runs.PREDICTIONS)
    save_figure(occluded_scores_figure(predictions, synthetic=synthetic), out / runs.FIGURES, "occlusion")
    print(occlusion_text(metrics))
    if recipe.network == "sgpnet":
        with step("drawing the maps", wanted.quiet):
            first = tested.drop_duplicates("subject").set_index("subject", drop=False)  # if tested more than once
            scores = predictions.drop_duplicates("subject").set_index("subject")
            for subject in wanted.subjects or choose_subjects(scores.reset_index(), wanted.num_maps):
                row = first.loc[subject]
                _draw_map(row, scores.loc[subject], networks[row["network"]], synthetic, out / "maps")
    elif wanted.num_maps or wanted.subjects:
        print(f"Activation maps are only available for sgpnet; the network of this run is {recipe.network}.")
    write_json(metrics, out / runs.METRICS)
    print(f"Everything is in {out}")
    return metrics


def _tested_subjects(wanted: Occlusion, shape: tuple[int, int, int]) -> pd.DataFrame:
    """List all test subjects, one row per split: the cohort table with `repeat`, `split` and `network` (its index)."""
    splits, cohort = (runs.read_table(wanted.run_dir / name) for name in (runs.SPLITS, runs.COHORT))
    if not all(CachedSubject(Path(folder)).is_complete for folder in cohort["prepared"]):
        cohort = restore_cohort(
            cohort, shape, wanted.run_dir, wanted.quiet, with_skull=True
        )  # already checked by the run
    indices = {split: index for index, split in enumerate(runs.list_splits(splits))}
    test = splits[splits["part"] == "test"].drop(columns="part")
    test = test.assign(network=[indices[key] for key in zip(test["repeat"], test["split"], strict=True)])
    for subject in wanted.subjects:
        if subject not in set(cohort["subject"]):
            advice = f"The ids are in {runs.COHORT}."
            raise InputError("a subject of the run", "no such id", advice, wanted.run_dir, subject)
        if subject not in set(test["subject"]):
            advice = f"Choose a subject of {runs.PREDICTIONS}."
            raise InputError("a test subject", "one that was only in training sets", advice, "", subject)
    return test.merge(cohort, on="subject", validate="many_to_one").sort_values("network", kind="stable")


def score_tested(tested: pd.DataFrame, networks: list, seed: int, quiet: bool) -> pd.DataFrame:
    """Make the predictions table of all test subjects with their scores after occlusion (COLUMNS)."""
    rows = []
    for number, row in enumerate(progress(tested.to_dict("records"), total=len(tested), what="occluding", quiet=quiet)):
        random = np.random.default_rng([seed, number])
        donor = _draw_donor(row, tested, random)
        scores = score_occluded(networks[row["network"]], _brain(row), donor, random)
        rows.append(row | {"truth": int(row["idh"])} | scores)
    return pd.DataFrame(rows)[COLUMNS]


def _draw_donor(row: dict, tested: pd.DataFrame, random: np.random.Generator) -> Brain:
    """Draw another patient of the same test set, so that the network was not trained on the donor either."""
    others = tested[(tested["network"] == row["network"]) & (tested["patient"] != row["patient"])]
    if others.empty:
        advice = "Occluded regions are filled with the brain of another patient: use a run with larger test sets."
        raise InputError("another patient in the test set", "none", advice, "", row["subject"])
    return _brain(others.iloc[int(random.integers(len(others)))])


def _brain(row: dict | pd.Series) -> Brain:
    """Read the network input of a subject and find lesion and rest of the brain."""
    cached = CachedSubject(Path(row["prepared"]))
    try:
        return find_regions(cached.scans(), cached.mask() != 0)
    except InputError as error:
        raise error.of_subject(row["subject"]) from error


def _draw_map(row: pd.Series, scores: pd.Series, network, synthetic: bool, out: Path) -> None:
    """Write the activation map of a subject on its own grid, and a picture of it."""
    cached = CachedSubject(Path(row["prepared"]))
    placement = cached.placement()
    activation, logit = activation_map(network, np.asarray(cached.scans()))
    own = map_on_own_grid(activation + (logit - activation.mean()), placement)  # shifted so that its mean is the logit
    write_volume(out / f"{row['subject']}.nii.gz", own, placement.own_affine)
    flair, lesion = read_scan(row, "flair"), read_mask(row)
    shown, _ = reorient(own, placement.own_affine)
    title = occluded_head_line(row["subject"], scores)
    case = Case({"flair": flair.array}, lesion.array != 0, None, tuple(flair.spacing_mm), title)
    save_figure(map_overlay(case, shown, synthetic=synthetic), out, row["subject"])


def choose_subjects(predictions: pd.DataFrame, most: int) -> list[str]:
    """Choose at most `most` subjects, cycling through correct mutant, correct wild-type and wrong predictions.

    Within each group, the most confident predictions come first.
    """
    ranked = predictions.assign(confidence=(predictions["score"] - 0.5).abs())
    ranked = ranked.sort_values("confidence", ascending=False)
    predicted = (ranked["score"] >= 0.5).astype(int)
    correct = predicted == ranked["truth"]
    groups = [ranked["subject"][rows] for rows in (correct & (predicted == 1), correct & (predicted == 0), ~correct)]
    return [subject for subject in chain(*zip_longest(*groups)) if subject is not None][:most]


def summarise_occlusion(predictions: pd.DataFrame) -> dict:
    """Summarise the scores after occlusion.

    Returns:
        `num_patients`, `lesion_drawn` (mean fraction of randomly drawn lesion voxels) and `conclusions` (sentences).
        For each of the three SCORES: `auc` within splits and its 95 % CI, `auc_interval`; `mean_change`, the mean
        absolute difference from `score`; and `difference`, the change in AUC by DeLong's paired test
        (`evaluation.comparisons.Comparison`).
    """
    named = {
        "With the original scans": "",
        "Without the lesion": ": the rest of the brain, or traces of the lesion's outline, are informative too",
        "Without the rest of the brain": ": the lesion alone is informative",
    }
    numbers, sentences = {"num_patients": predictions["patient"].nunique()}, []
    for (name, if_better), column in zip(named.items(), SCORES, strict=True):
        occluded = predictions.assign(score=predictions[column])
        auc, difference = split_auc_estimate(occluded), compare_auc(occluded, predictions)._asdict()
        change = float((predictions[column] - predictions["score"]).abs().mean())
        numbers[column] = {"auc": auc.value, "auc_interval": auc[1:3], "mean_change": change, "difference": difference}
        (low, high), said = auc[1:3], f"{name}, the AUC is {auc.value:.2f}"
        verdict = "not different from chance"
        if low > 0.5:
            verdict = f"better than chance{if_better}"
        if high < 0.5:
            verdict = "worse than chance"
        sentences.append(f"{said} (95 % CI {low:.2f} to {high:.2f}), {verdict}.")
        if not low <= high:  # NaN
            sentences[-1] = f"{said}; no confidence interval: too few patients, or classes that do not overlap."
    return numbers | {"lesion_drawn": float(predictions["lesion_drawn"].mean()), "conclusions": sentences}
