"""The folder of a phantom: what is there already, what is missing, and how it is made.

Every file appears whole or not at all and depends only on the recipe, so a killed run is completed by the next and two
processes at once write the same bytes.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from glioma_idh.errors import InputError
from glioma_idh.files import written_whole
from glioma_idh.phantom.recipe import (
    DEFAULT_SEED,
    SEQUENCES,
    PhantomRecipe,
    check_sequences,
    draw_truth,
    make_recipe,
    random_stream,
)
from glioma_idh.progress import progress

MASKS = ("lesion_mask", "brain_mask")
COLUMNS = ("subject", "patient", "cohort", "site", "idh", "idh_evidence", "grade", "age_years", "sex")


@dataclass(frozen=True)
class SubjectJob:
    """The files of one subject that are still to be made.

    Attributes:
        recipe: of the phantom.
        index: of the subject, from 0.
        latents: z by sequence.
        folder: the subject's.
        files: names out of SEQUENCES and MASKS.
    """

    recipe: PhantomRecipe
    index: int
    latents: dict[str, float]
    folder: Path
    files: tuple[str, ...]


def make_phantom(
    folder=None,
    sequences=("t1", "t1gd", "t2", "flair", "rcbv", "adc"),
    num_subjects: int = 100,
    num_mutant: int = 17,
    seed: int = DEFAULT_SEED,
    spacing_mm: float = 2.0,
    jobs: int | None = None,
    quiet: bool = False,
) -> Path:
    """Make the phantom cohort, or what is missing of it.

    Args:
        folder: where; by default a folder named after the parameters in the user's cache folder (or in the folder that
            the environment variable GLIOMA_IDH_CACHE names).
        sequences: those to be made, out of `t1 t1gd t2 flair rcbv adc`; others that are there stay.
        num_subjects: in the cohort.
        num_mutant: of them IDH-mutant.
        seed: of all random numbers.
        spacing_mm: edge length of the cubic voxels.
        jobs: processes; by default one per processor core.
        quiet: show no progress.

    Returns:
        The path of `cohort.csv`, beside which `truth.csv` and a folder per subject lie.

    Raises:
        InputError: parameters that do not fit together, or a folder that other parameters or another program made.
    """
    recipe, sequences = make_recipe(num_subjects, num_mutant, seed, spacing_mm), check_sequences(sequences)
    folder = default_folder(recipe) if folder is None else Path(folder)
    claim_folder(folder, recipe)
    truth = draw_truth(recipe)
    write_text(folder / "truth.csv", truth.to_csv(index=False, lineterminator="\n"))
    make_subjects(missing_jobs(folder, recipe, truth, sequences), jobs, quiet)
    return write_cohort(folder, recipe, truth)


def default_folder(recipe: PhantomRecipe) -> Path:
    """The cache folder of a recipe."""
    import platformdirs

    cache = os.environ.get("GLIOMA_IDH_CACHE") or platformdirs.user_cache_dir("glioma_idh")
    return Path(cache).expanduser() / f"phantom-{recipe.short_hash()}"


def claim_folder(folder: Path, recipe: PhantomRecipe) -> None:
    """Make the folder and note the recipe in it.

    Raises:
        InputError: it cannot be made, or holds another phantom or something else.
    """
    note = folder / "phantom.json"
    wanted = json.dumps(recipe.as_dict(), indent=2, sort_keys=True) + "\n"
    if not note.exists() and not any(folder.glob("*.csv")):
        write_text(note, wanted)
    found = note.read_text() if note.exists() else "CSV files that no phantom made"
    if found != wanted:
        advice = "Name another folder, or the parameters it was made with."
        expected, found = (" ".join(text.split()) for text in (wanted, found))
        raise InputError(f"a phantom of {expected}", found, advice, file=folder)


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all; leave it alone if it says the same already."""
    if path.exists() and path.read_text() == text:
        return
    with written_whole(path) as part:
        part.write_text(text, newline="\n")


def missing_jobs(folder: Path, recipe: PhantomRecipe, truth, sequences: tuple[str, ...]) -> list[SubjectJob]:
    """One job for each subject that lacks a mask or one of the sequences."""
    jobs = []
    for index, row in truth.iterrows():
        place = folder / row.subject
        files = tuple(name for name in (*sequences, *MASKS) if not (place / f"{name}.nii.gz").exists())
        if files:
            jobs.append(SubjectJob(recipe, index, {name: row[f"z_{name}"] for name in SEQUENCES}, place, files))
    return jobs


def make_subjects(subject_jobs: list[SubjectJob], jobs: int | None, quiet: bool) -> None:
    """Make the missing files of all subjects, in parallel processes, showing on stderr how far they are."""
    if not subject_jobs:
        return
    from joblib import delayed

    from glioma_idh.parallel import run_parallel

    done = run_parallel((delayed(make_subject)(job) for job in subject_jobs), jobs or -1, ordered=False)
    for _ in progress(done, total=len(subject_jobs), what="phantom", quiet=quiet):
        pass


def make_subject(job: SubjectJob) -> None:
    """Make the missing files of one subject."""
    from glioma_idh.imaging.volumes import write_volume
    from glioma_idh.phantom.anatomy import draw_anatomy, make_anatomy
    from glioma_idh.phantom.fields import make_grid
    from glioma_idh.phantom.lesions import draw_lesion, make_lesion
    from glioma_idh.phantom.signal import draw_signal, make_image

    grid = make_grid(job.recipe.spacing_mm)
    anatomy = make_anatomy(draw_anatomy(random_stream(job.recipe, job.index, "anatomy")), grid)
    lesion = make_lesion(draw_lesion(random_stream(job.recipe, job.index, "lesion")), anatomy)
    masks = {"lesion_mask": lesion.mask, "brain_mask": anatomy.brain}
    job.folder.mkdir(exist_ok=True)
    for name in job.files:
        if name in masks:
            image = masks[name].astype(np.uint8)
        else:
            draw = draw_signal(random_stream(job.recipe, job.index, name), grid)
            image = make_image(name, anatomy, lesion, job.latents[name], draw)
        write_volume(job.folder / f"{name}.nii.gz", image, grid.affine)


def write_cohort(folder: Path, recipe: PhantomRecipe, truth) -> Path:
    """Write `cohort.csv`: who they are, and the paths of what lies in the folder, relative to it.

    Another process may finish a sequence while this one writes, hence the second look.
    """
    path = folder / "cohort.csv"
    text = ""
    while text != (text := cohort_table(folder, recipe, truth).to_csv(index=False, lineterminator="\n")):
        write_text(path, text)
    return path


def cohort_table(folder: Path, recipe: PhantomRecipe, truth):
    """The cohort table of what lies in the folder; age and sex are drawn without a look at the IDH status."""
    table = truth[["subject", "idh"]].assign(
        patient=truth["subject"], cohort="phantom", site="phantom", idh_evidence="planted", grade=4
    )
    persons = [random_stream(recipe, index, "person") for index in range(len(truth))]
    table["age_years"] = [int(np.clip(rng.normal(58, 12), 20, 88)) for rng in persons]
    table["sex"] = [("F", "M")[rng.integers(2)] for rng in persons]
    for name in (*SEQUENCES, *MASKS):
        paths = [f"{subject}/{name}.nii.gz" for subject in truth["subject"]]
        table[name] = [path if (folder / path).exists() else "" for path in paths]
    return table[[*COLUMNS, *SEQUENCES, *MASKS]]
