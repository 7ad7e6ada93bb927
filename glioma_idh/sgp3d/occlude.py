"""Ask a finished run where its scores come from: python -m glioma_idh.sgp3d.occlude RUN_DIR

Every test subject is scored again by the network that never trained on it: as it is, with the lesion occluded, and with
the rest of the brain occluded. Nothing is trained. Writes the scores (predictions.csv), their AUC (metrics.json), a
figure, and for some subjects a map of what the score is the mean of. Lesions are those of the reference masks.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from glioma_idh.errors import InputError, ending_plainly
from glioma_idh.files import write_json, write_table
from glioma_idh.progress import progress, step
from glioma_idh.sgp3d.recipe import Recipe, recipe_of_run

WITH_MAPS = "sgpnet"


@dataclass(frozen=True)
class Occlusion:
    """Which run to ask, and what to draw of it."""

    run_dir: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="RUN_DIR")]
    """Folder of a finished run."""
    out: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = None
    """Where everything goes; by default RUN_DIR/occlusion."""
    num_maps: Annotated[int, tyro.conf.arg(metavar="N")] = 3
    """Subjects with a map: in turn the surest mutant called so, the surest wild-type called so, the surest mistake."""
    subjects: Annotated[tuple[str, ...], tyro.conf.arg(metavar="ID ...")] = ()
    """Whose maps to draw instead, by their ids in predictions.csv."""
    seed: int = 0
    """Of the voxels drawn to fill in."""
    quiet: bool = False
    """Show no progress."""

    def __post_init__(self):
        for name in ("run_dir", "out"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, Path(getattr(self, name)))


def occlude(wanted: Occlusion) -> dict:
    """Score every test subject of a run with and without the lesion, and draw where the scores come from.

    Args:
        wanted: as on the command line.

    Returns:
        The numbers, as in `metrics.json`.

    Raises:
        InputError: the run cannot be used, its scans have changed, or a subject asked for was never tested.
    """
    from glioma_idh.reporting.figures.attribution import occluded_scores_figure, occlusion_text
    from glioma_idh.reporting.figures.canvas import save_figure
    from glioma_idh.sgp3d.occlusion import summarise_occlusion
    from glioma_idh.training import predict as common

    if wanted.num_maps < 0:
        raise InputError("--num-maps of at least 0", str(wanted.num_maps), "Give another number.")
    content, synthetic = common.read_finished_run(wanted.run_dir, "sgp3d")
    recipe = recipe_of_run(content)
    _check_recipe(recipe, wanted.run_dir)
    tested = _tested_subjects(wanted.run_dir, recipe.shape, wanted.quiet)
    _check_subjects(wanted, tested)
    networks = _networks(wanted.run_dir, recipe)
    out = wanted.out or wanted.run_dir / "occlusion"

    predictions = _score(tested, networks, wanted)
    metrics = {"synthetic": synthetic, **summarise_occlusion(predictions)}
    write_table(predictions, out / "predictions.csv")
    save_figure(occluded_scores_figure(predictions, synthetic=synthetic), out / "figures", "occlusion")
    print(occlusion_text(metrics))
    if recipe.network == WITH_MAPS:
        with step("drawing the maps", wanted.quiet):
            _draw_maps(predictions, tested, networks, wanted, synthetic)
    elif wanted.num_maps or wanted.subjects:
        print(f"No maps: those are of {WITH_MAPS}'s last layer, and this run's network is {recipe.network}.")
    write_json(metrics, out / "metrics.json")
    print(f"Everything is in {out}")
    return metrics


def _check_recipe(recipe: Recipe, run_dir: Path) -> None:
    """The run's networks must give a score, of a whole volume.

    Raises:
        InputError: they do not.
    """
    if "idh" not in recipe.learns:
        advice = "Name a run that learnt the genotype: --targets both, idh or random-masks."
        raise InputError("a run whose networks score the genotype", "one of segmentation alone", advice, file=run_dir)
    if recipe.reads_slices:
        found = f"{recipe.network}, which reads slices"
        raise InputError("a network that reads volumes", found, "Name a run of another network.", file=run_dir)


def _tested_subjects(run_dir: Path, shape: tuple[int, int, int], quiet: bool):
    """A row a split and test subject: the cohort table with `repeat`, `split` and `network`, its place.

    Raises:
        InputError: the cache has lost a subject whose files are gone or have changed.
    """
    from glioma_idh import runs
    from glioma_idh.sgp3d.cache import restore_cohort

    splits, cohort = runs.read_table(run_dir / "splits.csv"), runs.read_table(run_dir / "cohort.csv")
    if not all((Path(folder) / "note.json").exists() for folder in cohort["prepared"]):
        cohort = restore_cohort(cohort, shape, run_dir, quiet, with_skull=True)  # as the run let them in
    places = {split: place for place, split in enumerate(runs.list_splits(splits))}
    test = splits[splits["part"] == "test"].drop(columns="part")
    test = test.assign(network=[places[key] for key in zip(test["repeat"], test["split"], strict=True)])
    return test.merge(cohort, on="subject", validate="many_to_one").sort_values("network", kind="stable")


def _check_subjects(wanted: Occlusion, tested) -> None:
    """Who is to be drawn must have been tested.

    Raises:
        InputError: somebody was not, or is not of the run at all.
    """
    from glioma_idh import runs

    known = set(runs.read_table(wanted.run_dir / "cohort.csv")["subject"])
    for subject in wanted.subjects:
        if subject not in known:
            advice = "Its ids stand in cohort.csv."
            raise InputError("a subject of the run", "none of that id", advice, wanted.run_dir, subject)
        if subject not in set(tested["subject"]):
            advice = "Name one of predictions.csv: of others the network knows the answer."
            raise InputError("a subject that was tested", "one that was only trained on", advice, "", subject)


def _networks(run_dir: Path, recipe: Recipe) -> list:
    """The network of each split.

    Raises:
        InputError: one has no genotype among its outputs.
    """
    from glioma_idh import runs
    from glioma_idh.sgp3d.inference import input_shape
    from glioma_idh.training.predict import load_networks

    networks = load_networks(run_dir, input_shape(recipe))
    for index, network in enumerate(networks):
        if "idh" not in network.output_names:
            file, found = runs.split_folder(run_dir, index) / "model.keras", ", ".join(network.output_names)
            raise InputError("a network with the output idh", found, "It is another network's file.", file=file)
    return networks


def _score(tested, networks: list, wanted: Occlusion):
    """The predictions table, with what is left of the scores."""
    import numpy as np
    import pandas as pd

    from glioma_idh.sgp3d.occlusion import COLUMNS, score_occluded

    rows = []
    rows_tested = progress(tested.to_dict("records"), total=len(tested), what="occluding", quiet=wanted.quiet)
    for number, row in enumerate(rows_tested):
        random = np.random.default_rng([wanted.seed, number])
        donor, own = _draw_donor(row, tested, random), _brain(row)
        scores = score_occluded(networks[row["network"]], own, donor, random)
        rows.append(row | {"truth": int(row["idh"])} | scores)
    return pd.DataFrame(rows)[COLUMNS]


def _draw_donor(row: dict, tested, random):
    """Another patient of the same test set, which the network never trained on either.

    Raises:
        InputError: there is no other.
    """
    others = tested[(tested["network"] == row["network"]) & (tested["patient"] != row["patient"])]
    if others.empty:
        advice = "What is occluded is filled with another's brain; use a run of larger test sets."
        raise InputError("another patient in the test set", "none", advice, "", row["subject"])
    return _brain(others.iloc[int(random.integers(len(others)))])


def _brain(row):
    """The prepared scans of a subject, and where its lesion and the rest of its brain are.

    Raises:
        InputError: the lesion fills the scans.
    """
    from glioma_idh.sgp3d.cache import CachedSubject
    from glioma_idh.sgp3d.occlusion import find_regions

    stored = CachedSubject(Path(row["prepared"]))
    try:
        return find_regions(stored.scans(), stored.mask() != 0)
    except InputError as error:
        raise error.of_subject(row["subject"]) from error


def _draw_maps(predictions, tested, networks: list, wanted: Occlusion, synthetic: bool) -> None:
    """Map and picture of those asked for, or of some to choose from; of several tests of a subject the first."""
    from glioma_idh.sgp3d.occlusion import choose_subjects

    out = (wanted.out or wanted.run_dir / "occlusion") / "maps"
    first = tested.drop_duplicates("subject").set_index("subject", drop=False)
    scores = predictions.drop_duplicates("subject").set_index("subject")
    for subject in wanted.subjects or choose_subjects(scores.reset_index(), wanted.num_maps):
        row = first.loc[subject]
        _draw_map(row, scores.loc[subject], networks[row["network"]], synthetic, out)


def _draw_map(row, scores, network, synthetic: bool, out: Path) -> None:
    """One subject's map on its own grid, and a picture of it."""
    import numpy as np

    from glioma_idh.cohorts.scans import read_mask, read_scan
    from glioma_idh.imaging.volumes import reorient, write_volume
    from glioma_idh.reporting.figures.attribution import map_overlay, occluded_head_line
    from glioma_idh.reporting.figures.canvas import save_figure
    from glioma_idh.reporting.figures.cases import Case
    from glioma_idh.sgp3d.cache import CachedSubject
    from glioma_idh.sgp3d.occlusion import activation_map, map_on_own_grid

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


def main() -> None:
    """The command line."""
    config = (tyro.conf.FlagCreatePairsOff,)
    wanted = tyro.cli(Occlusion, prog="python -m glioma_idh.sgp3d.occlude", description=__doc__, config=config)
    with ending_plainly():
        occlude(wanted)


if __name__ == "__main__":
    main()
