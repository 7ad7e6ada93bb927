"""A finished run asked where its scores come from: what the command `occlude`, an `Occlusion`, does."""

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
    """Score a run's test subjects with and without the lesion, draw where scores come from; returns `metrics.json`."""
    if wanted.num_maps < 0:
        raise InputError("--num-maps of at least 0", str(wanted.num_maps), "Give another number.")
    content, synthetic = read_finished_run(wanted.run_dir, "sgp3d")
    recipe, out = recipe_of_run(content), wanted.out or wanted.run_dir / "occlusion"
    into(out)
    if "idh" not in recipe.learns:
        advice = "Name a run that learnt the genotype: --targets both, idh or random-masks."
        found = "one of segmentation alone"
        raise InputError("a run whose networks score the genotype", found, advice, file=wanted.run_dir)
    if recipe.reads_slices:
        found, advice = f"{recipe.network}, which reads slices", "Name a run of another network."
        raise InputError("a network that reads volumes", found, advice, file=wanted.run_dir)
    tested = _tested_subjects(wanted, recipe.shape)
    networks = load_networks(wanted.run_dir, input_shape(recipe))
    for index, network in enumerate(networks):
        if "idh" not in network.output_names:
            file, found = runs.split_folder(wanted.run_dir, index) / runs.MODEL, ", ".join(network.output_names)
            raise InputError("a network with the output idh", found, "It is another network's file.", file=file)

    predictions = score_tested(tested, networks, wanted.seed, wanted.quiet)
    metrics = {"synthetic": synthetic, **summarise_occlusion(predictions)}
    write_table(predictions, out / runs.PREDICTIONS)
    save_figure(occluded_scores_figure(predictions, synthetic=synthetic), out / runs.FIGURES, "occlusion")
    print(occlusion_text(metrics))
    if recipe.network == "sgpnet":
        with step("drawing the maps", wanted.quiet):
            first = tested.drop_duplicates("subject").set_index("subject", drop=False)  # of several tests
            scores = predictions.drop_duplicates("subject").set_index("subject")
            for subject in wanted.subjects or choose_subjects(scores.reset_index(), wanted.num_maps):
                row = first.loc[subject]
                _draw_map(row, scores.loc[subject], networks[row["network"]], synthetic, out / "maps")
    elif wanted.num_maps or wanted.subjects:
        print(f"No maps: those are of sgpnet's last layer, and this run's network is {recipe.network}.")
    write_json(metrics, out / runs.METRICS)
    print(f"Everything is in {out}")
    return metrics


def _tested_subjects(wanted, shape: tuple[int, int, int]) -> pd.DataFrame:
    """A row a split and test subject: the cohort table with `repeat`, `split` and `network`, its place."""
    splits, cohort = (runs.read_table(wanted.run_dir / name) for name in (runs.SPLITS, runs.COHORT))
    if not all(CachedSubject(Path(folder)).is_there for folder in cohort["prepared"]):
        cohort = restore_cohort(cohort, shape, wanted.run_dir, wanted.quiet, with_skull=True)  # as the run let them in
    places = {split: place for place, split in enumerate(runs.list_splits(splits))}
    test = splits[splits["part"] == "test"].drop(columns="part")
    test = test.assign(network=[places[key] for key in zip(test["repeat"], test["split"], strict=True)])
    for subject in wanted.subjects:
        if subject not in set(cohort["subject"]):
            advice = f"Its ids stand in {runs.COHORT}."
            raise InputError("a subject of the run", "none of that id", advice, wanted.run_dir, subject)
        if subject not in set(test["subject"]):
            advice = f"Name one of {runs.PREDICTIONS}: of others the network knows the answer."
            raise InputError("a subject that was tested", "one that was only trained on", advice, "", subject)
    return test.merge(cohort, on="subject", validate="many_to_one").sort_values("network", kind="stable")


def score_tested(tested: pd.DataFrame, networks: list, seed: int, quiet: bool) -> pd.DataFrame:
    """The predictions table of all tested subjects, with what is left of their scores: COLUMNS."""
    rows = []
    for number, row in enumerate(progress(tested.to_dict("records"), total=len(tested), what="occluding", quiet=quiet)):
        random = np.random.default_rng([seed, number])
        donor = _draw_donor(row, tested, random)
        scores = score_occluded(networks[row["network"]], _brain(row), donor, random)
        rows.append(row | {"truth": int(row["idh"])} | scores)
    return pd.DataFrame(rows)[COLUMNS]


def _draw_donor(row: dict, tested: pd.DataFrame, random: np.random.Generator) -> Brain:
    """Another patient of the same test set, which the network never trained on either."""
    others = tested[(tested["network"] == row["network"]) & (tested["patient"] != row["patient"])]
    if others.empty:
        advice = "What is occluded is filled with another's brain; use a run of larger test sets."
        raise InputError("another patient in the test set", "none", advice, "", row["subject"])
    return _brain(others.iloc[int(random.integers(len(others)))])


def _brain(row) -> Brain:
    """The prepared scans of a subject, and where its lesion and the rest of its brain are."""
    stored = CachedSubject(Path(row["prepared"]))
    try:
        return find_regions(stored.scans(), stored.mask() != 0)
    except InputError as error:
        raise error.of_subject(row["subject"]) from error


def _draw_map(row: pd.Series, scores: pd.Series, network, synthetic: bool, out: Path) -> None:
    """One subject's map on its own grid, and a picture of it."""
    stored = CachedSubject(Path(row["prepared"]))
    placement = stored.placement()
    activation, logit = activation_map(network, np.asarray(stored.scans()))
    own = map_on_own_grid(activation + (logit - activation.mean()), placement)  # with the bias: its mean is the logit
    write_volume(out / f"{row['subject']}.nii.gz", own, placement.own_affine)
    flair, lesion = read_scan(row, "flair"), read_mask(row)
    shown, _ = reorient(own, placement.own_affine)
    title = occluded_head_line(row["subject"], scores)
    case = Case({"flair": flair.array}, lesion.array != 0, None, tuple(flair.spacing_mm), title)
    save_figure(map_overlay(case, shown, synthetic=synthetic), out, row["subject"])


def choose_subjects(predictions: pd.DataFrame, most: int) -> list[str]:
    """Whom to show, at most: in turn the surest mutant called so, wild-type called so, and mistake, then the next."""
    surest = predictions.assign(sure=(predictions["score"] - 0.5).abs()).sort_values("sure", ascending=False)
    called = (surest["score"] >= 0.5).astype(int)
    right = called == surest["truth"]
    groups = [surest["subject"][rows] for rows in (right & (called == 1), right & (called == 0), ~right)]
    return [subject for subject in chain(*zip_longest(*groups)) if subject is not None][:most]


def summarise_occlusion(predictions: pd.DataFrame) -> dict:
    """The numbers of an occlusion, and what they say: `num_patients`, `lesion_drawn`, `conclusions` (sentences).

    And by each of the three scores `auc` within splits and `auc_interval` (95 %), `mean_change`, the mean absolute
    difference from `score` over the rows, and `difference`, its AUC less that of `score`, by DeLong's paired test
    (`evaluation.comparisons.Comparison`).
    """
    named = {
        "As the scans are": "",
        "Without the lesion": ": the rest of the brain, or what shows of the lesion's outline, tells something too",
        "Without the rest of the brain": ": the lesion tells something by itself",
    }
    numbers, sentences = {"num_patients": predictions["patient"].nunique()}, []
    for (name, if_better), column in zip(named.items(), SCORES, strict=True):
        occluded = predictions.assign(score=predictions[column])
        auc, difference = split_auc_estimate(occluded), compare_auc(occluded, predictions)._asdict()
        change = float((predictions[column] - predictions["score"]).abs().mean())
        numbers[column] = {"auc": auc.value, "auc_interval": auc[1:3], "mean_change": change, "difference": difference}
        (low, high), said = auc[1:3], f"{name}, the AUC is {auc.value:.2f}"
        verdict = "guessing, 0.5, lies within"
        if low > 0.5:
            verdict = f"better than guessing{if_better}"
        if high < 0.5:
            verdict = "worse than guessing: the network is misled"
        sentences.append(f"{said} ({low:.2f} to {high:.2f}), {verdict}.")
        if not low <= high:  # NaN
            sentences[-1] = f"{said}; no interval: too few patients, or classes that do not overlap."
    return numbers | {"lesion_drawn": float(predictions["lesion_drawn"].mean()), "conclusions": sentences}
