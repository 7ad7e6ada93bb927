"""What is planted: who is mutant, and the latent that carries IDH into each sequence. No image here.

For subject and sequence, z ~ N(d * idh, 1), independent of one another. Two unit normals d apart have an AUC of
Phi(d / sqrt(2)), so d = sqrt(2) * Phi^-1(AUC). The log likelihood ratio of mutant against wild-type is d * z - d^2 / 2,
summed over the sequences: nobody can do better than its ranking, which is that of sum(d * z).
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import ndtri

from glioma_idh.errors import InputError

PHANTOM_VERSION = 1  # raised whenever the same parameters give other images: older cache folders are then left aside
SEQUENCES = ("t1", "t1gd", "t2", "flair", "rcbv", "adc")
PLANTED_AUC = {"t1": 0.71, "t1gd": 0.62, "t2": 0.63, "flair": 0.74, "rcbv": 0.86, "adc": 0.5}
"""Best possible AUC per sequence: the test AUC of Pasquini et al. 2021; none in ADC, where nothing is to be found."""
DEFAULT_SEED = 193
"""The first whose 100 subjects have, in every sequence, an AUC of the latent within 0.05 of the planted one. With 17
mutants another draw strays by 0.1 and more, and the order of the sequences with it."""
PURPOSES = ("labels", "person", "latents", "anatomy", "lesion", *SEQUENCES, "raw")


@dataclass(frozen=True)
class PhantomRecipe:
    """The parameters that fix every voxel, as of `make_phantom`."""

    num_subjects: int = 100
    num_mutant: int = 17
    seed: int = DEFAULT_SEED
    spacing_mm: float = 2.0

    def as_dict(self) -> dict:
        """The parameters and the phantom's version, ready for JSON."""
        return {**asdict(self), "phantom_version": PHANTOM_VERSION}

    def short_hash(self) -> str:
        """Eight hexadecimal digits that name the recipe."""
        return hashlib.sha256(json.dumps(self.as_dict(), sort_keys=True).encode()).hexdigest()[:8]

    @staticmethod
    def checked(num_subjects: int, num_mutant: int, seed: int, spacing_mm: float) -> "PhantomRecipe":
        """The checked parameters; no lesion survives voxels of more than 6 mm."""
        for expected, found, good in (
            ("num_subjects of at least 1", num_subjects, num_subjects >= 1),
            (f"num_mutant from 0 to num_subjects = {num_subjects}", num_mutant, 0 <= num_mutant <= num_subjects),
            ("seed of 0 or more", seed, seed >= 0),
            ("spacing_mm from 1 to 6", spacing_mm, 1 <= spacing_mm <= 6),
        ):
            if not good:
                raise InputError(expected, str(found), "Call make_phantom with other parameters.")
        return PhantomRecipe(int(num_subjects), int(num_mutant), int(seed), float(spacing_mm))


def check_sequences(sequences) -> tuple[str, ...]:
    """The sequences asked for, in the package's order; an InputError for one that the phantom has not, or for none."""
    sequences = (sequences,) if isinstance(sequences, str) else tuple(sequences)
    unknown = [name for name in sequences if name not in SEQUENCES]
    if unknown or not sequences:
        raise InputError(f"sequences out of {' '.join(SEQUENCES)}", " ".join(unknown) or "none", "Name some of these.")
    return tuple(name for name in SEQUENCES if name in sequences)


def planted_shift(sequence: str) -> float:
    """d, the distance of the two groups' mean z in a sequence, in standard deviations."""
    return float(np.sqrt(2) * ndtri(PLANTED_AUC[sequence]))


def random_stream(recipe: PhantomRecipe, index: int, purpose: str) -> np.random.Generator:
    """The random numbers of one subject for one purpose, whatever else is drawn and in which order."""
    return np.random.default_rng([recipe.seed, index, PURPOSES.index(purpose)])


def draw_truth(recipe: PhantomRecipe):
    """Labels and latents, a row a subject: `subject, idh`; of each sequence `z_SEQUENCE` and the shift `d_SEQUENCE`."""
    mutant = random_stream(recipe, 0, "labels").permutation(recipe.num_subjects) < recipe.num_mutant
    width = max(3, len(str(recipe.num_subjects)))
    truth = {"subject": [f"phantom-{n + 1:0{width}d}" for n in range(recipe.num_subjects)], "idh": mutant.astype(int)}
    normal = np.array([random_stream(recipe, n, "latents").standard_normal(6) for n in range(recipe.num_subjects)])
    shifts = {name: planted_shift(name) for name in SEQUENCES}
    truth |= {f"z_{name}": normal[:, n] + shifts[name] * mutant for n, name in enumerate(SEQUENCES)}
    truth |= {f"d_{name}": np.full(recipe.num_subjects, shifts[name]) for name in SEQUENCES}
    return pd.DataFrame(truth)


def planted_scores(truth_csv: str | Path, sequences: Sequence[str]) -> pd.Series:
    """The best possible score by subject of a `truth.csv`, a Series: sum of d * z over one or several sequences."""
    truth = pd.read_csv(truth_csv, dtype=str).set_index("subject")
    columns = [(f"d_{name}", f"z_{name}") for name in check_sequences(sequences)]
    scores = sum(truth[shift].astype(float) * truth[latent].astype(float) for shift, latent in columns)
    return scores.rename("planted_score")
