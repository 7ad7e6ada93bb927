"""Make the folder of a phantom (the built-in synthetic cohort), or only its missing files.

Files are written atomically and depend only on the recipe, so that an interrupted run can be completed later.
"""

import json
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
import platformdirs
from joblib import delayed

from glioma_idh.errors import InputError
from glioma_idh.files import written_whole
from glioma_idh.imaging.volumes import write_volume
from glioma_idh.parallel import run_parallel
from glioma_idh.phantom.lesions import make_body
from glioma_idh.phantom.recipe import DEFAULT_SEED, SEQUENCES, PhantomRecipe, check_sequences, draw_truth, random_stream
from glioma_idh.phantom.signal import draw_signal, make_image
from glioma_idh.progress import progress

MASKS = ("lesion_mask", "brain_mask")
COLUMNS = ("subject", "patient", "cohort", "site", "idh", "idh_evidence", "grade", "age_years", "sex")


def make_phantom(
    folder: str | Path | None = None,
    sequences: str | Iterable[str] = SEQUENCES,
    num_subjects: int = 100,
    num_mutant: int = 17,
    seed: int = DEFAULT_SEED,
    spacing_mm: float = 2.0,
    jobs: int | None = None,
    quiet: bool = False,
) -> Path:
    """Make the phantom, the built-in synthetic cohort, or only its missing files.

    Args:
        folder: the output folder; by default a folder named after the parameters in the user's cache folder, or in the
            folder of the environment variable GLIOMA_IDH_CACHE.
        sequences: the sequences to make, of `t1 t1gd t2 flair rcbv adc`; existing files of others are kept.
        num_subjects: number of subjects.
        num_mutant: number of IDH-mutant subjects.
        seed: random seed.
        spacing_mm: edge length of the cubic voxels.
        jobs: number of processes; by default one per processor core.
        quiet: show no progress.

    Returns:
        The path of `cohort.csv`; `truth.csv` and one folder per subject are in the same folder.

    Raises:
        InputError: a parameter is out of range, or the folder was made with other parameters or by another program.
    """
    recipe = PhantomRecipe.checked(num_subjects, num_mutant, seed, spacing_mm)
    sequences = check_sequences(sequences)
    folder = default_folder(recipe) if folder is None else Path(folder)
    note, wanted = folder / "phantom.json", json.dumps(recipe.as_dict(), indent=2, sort_keys=True) + "\n"
    if not note.exists() and not any(folder.glob("*.csv")):
        write_text(note, wanted)
    found = note.read_text() if note.exists() else "CSV files of another program"
    if found != wanted:
        advice = "Choose another folder, or the parameters with which this one was made."
        expected, found = (" ".join(text.split()) for text in (wanted, found))
        raise InputError(f"a phantom with the parameters {expected}", found, advice, file=folder)
    truth = draw_truth(recipe)
    write_text(folder / "truth.csv", truth.to_csv(index=False, lineterminator="\n"))
    missing: dict = {}
    for index, subject in enumerate(truth["subject"]):
        names = [name for name in (*sequences, *MASKS) if not (folder / subject / f"{name}.nii.gz").exists()]
        missing |= {index: names} if names else {}
    if missing:
        calls = (delayed(make_subject)(recipe, n, truth.loc[n], folder, names) for n, names in missing.items())
        done = run_parallel(calls, jobs or -1, ordered=False)
        for _ in progress(done, total=len(missing), what="phantom", quiet=quiet):
            pass
    text, path = "", folder / "cohort.csv"  # repeated, because another process may finish a sequence meanwhile
    while text != (text := cohort_table(folder, recipe, truth).to_csv(index=False, lineterminator="\n")):
        write_text(path, text)
    return path


def default_folder(recipe: PhantomRecipe) -> Path:
    """Return the cache folder of a recipe."""
    cache = os.environ.get("GLIOMA_IDH_CACHE") or platformdirs.user_cache_dir("glioma_idh")
    return Path(cache).expanduser() / f"phantom-{recipe.short_hash()}"


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically, unless it already has this content."""
    if not path.exists() or path.read_text() != text:
        with written_whole(path) as part:
            part.write_text(text, newline="\n")


def make_subject(recipe: PhantomRecipe, index: int, truth: pd.Series, folder: Path, names: list[str]) -> None:
    """Make image files of one subject: `names` of SEQUENCES and MASKS, from its row of `draw_truth`."""
    anatomy, lesion = make_body(recipe, index)
    grid, images = anatomy.grid, {"lesion_mask": lesion.mask, "brain_mask": anatomy.brain}
    (folder / truth["subject"]).mkdir(exist_ok=True)
    for name in names:
        if name in images:
            image = images[name].astype(np.uint8)
        else:
            draw = draw_signal(random_stream(recipe, index, name), grid)
            image = make_image(name, anatomy, lesion, truth[f"z_{name}"], draw)
        write_volume(folder / truth["subject"] / f"{name}.nii.gz", image, grid.affine)


def cohort_table(folder: Path, recipe: PhantomRecipe, truth: pd.DataFrame) -> pd.DataFrame:
    """Return the cohort table of the files in the folder. Age and sex are independent of the IDH status."""
    told = {"patient": truth["subject"], "cohort": "phantom", "site": "phantom", "idh_evidence": "planted", "grade": 4}
    table = truth[["subject", "idh"]].assign(**told)
    persons = [random_stream(recipe, index, "person") for index in range(len(truth))]
    table["age_years"] = [int(np.clip(rng.normal(58, 12), 20, 88)) for rng in persons]
    table["sex"] = [("F", "M")[rng.integers(2)] for rng in persons]
    for name in (*SEQUENCES, *MASKS):
        paths = [f"{subject}/{name}.nii.gz" for subject in truth["subject"]]
        table[name] = [path if (folder / path).exists() else "" for path in paths]
    return table[[*COLUMNS, *SEQUENCES, *MASKS]]
