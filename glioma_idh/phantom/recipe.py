"""Parameters of the phantom (the built-in synthetic cohort), and the IDH signal planted in it.

Each subject has a latent variable z per sequence, which determines how the lesion looks: z ~ N(d * idh, 1), independent
across subjects and sequences. Two normal distributions with unit variance and distance d have an AUC of
Phi(d / sqrt(2)), so d = sqrt(2) * Phi^-1(AUC). The log likelihood ratio of mutant against wild-type is d * z - d^2 / 2,
summed over the sequences, so that no classifier can have a higher expected AUC than the score sum(d * z).
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import ndtri

from glioma_idh.errors import InputError

PHANTOM_VERSION = 1  # increased when the same parameters result in other images; older cache folders are then unused
SEQUENCES = ("t1", "t1gd", "t2", "flair", "rcbv", "adc")
PLANTED_AUC = {"t1": 0.71, "t1gd": 0.62, "t2": 0.63, "flair": 0.74, "rcbv": 0.86, "adc": 0.5}
"""Best possible AUC per sequence: the test AUC of Pasquini et al. 2021. ADC is the negative control (AUC 0.5)."""
DEFAULT_SEED = 193
"""The first seed for which the AUC of z in the 100 subjects is within 0.05 of the planted AUC in every sequence. With
only 17 mutants, other seeds differ by 0.1 and more, which also changes the order of the sequences."""
PURPOSES = ("labels", "person", "latents", "anatomy", "lesion", *SEQUENCES, "raw")


@dataclass(frozen=True)
class PhantomRecipe:
    """The parameters that determine every voxel; they are explained in `make_phantom`."""

    num_subjects: int = 100
    num_mutant: int = 17
    seed: int = DEFAULT_SEED
    spacing_mm: float = 2.0

    def as_dict(self) -> dict:
        """Return the parameters and the version of the phantom for JSON."""
        return {**asdict(self), "phantom_version": PHANTOM_VERSION}

    def short_hash(self) -> str:
        """Return eight hexadecimal digits that identify the recipe."""
        return hashlib.sha256(json.dumps(self.as_dict(), sort_keys=True).encode()).hexdigest()[:8]

    @staticmethod
    def checked(num_subjects: int, num_mutant: int, seed: int, spacing_mm: float) -> "PhantomRecipe":
        """Check the parameters and return the recipe. Voxels of more than 6 mm are too large for the lesions.

        Raises:
            InputError: a parameter is out of range.
        """
        for expected, found, good in (
            ("num_subjects of at least 1", num_subjects, num_subjects >= 1),
            (f"num_mutant from 0 to num_subjects ({num_subjects})", num_mutant, 0 <= num_mutant <= num_subjects),
            ("seed of at least 0", seed, seed >= 0),
            ("spacing_mm from 1 to 6", spacing_mm, 1 <= spacing_mm <= 6),
        ):
            if not good:
                raise InputError(expected, str(found), "Change this parameter of make_phantom.")
        return PhantomRecipe(int(num_subjects), int(num_mutant), int(seed), float(spacing_mm))


def check_sequences(sequences: str | Iterable[str]) -> tuple[str, ...]:
    """Return the requested sequences in the order of the package.

    Raises:
        InputError: a sequence is not known, or there is none.
    """
    sequences = (sequences,) if isinstance(sequences, str) else tuple(sequences)
    unknown = [name for name in sequences if name not in SEQUENCES]
    if unknown or not sequences:
        expected = f"one or more of the sequences {' '.join(SEQUENCES)}"
        raise InputError(expected, " ".join(unknown) or "none", "Choose among these.")
    return tuple(name for name in SEQUENCES if name in sequences)


def planted_shift(sequence: str) -> float:
    """Return d, the difference of the mean z between mutants and wild-types in a sequence, in standard deviations."""
    return float(np.sqrt(2) * ndtri(PLANTED_AUC[sequence]))


def random_stream(recipe: PhantomRecipe, index: int, purpose: str) -> np.random.Generator:
    """Return the random number generator of one subject for one purpose, independent of all other draws."""
    return np.random.default_rng([recipe.seed, index, PURPOSES.index(purpose)])


def draw_truth(recipe: PhantomRecipe) -> pd.DataFrame:
    """Draw labels and latent variables: one row per subject with `subject, idh`, `z_SEQUENCE` and `d_SEQUENCE`."""
    mutant = random_stream(recipe, 0, "labels").permutation(recipe.num_subjects) < recipe.num_mutant
    width = max(3, len(str(recipe.num_subjects)))
    truth = {"subject": [f"phantom-{n + 1:0{width}d}" for n in range(recipe.num_subjects)], "idh": mutant.astype(int)}
    normal = np.array([random_stream(recipe, n, "latents").standard_normal(6) for n in range(recipe.num_subjects)])
    shifts = {name: planted_shift(name) for name in SEQUENCES}
    truth |= {f"z_{name}": normal[:, n] + shifts[name] * mutant for n, name in enumerate(SEQUENCES)}
    truth |= {f"d_{name}": np.full(recipe.num_subjects, shifts[name]) for name in SEQUENCES}
    return pd.DataFrame(truth)


def planted_scores(truth_csv: str | Path, sequences: str | Iterable[str]) -> pd.Series:
    """Return the best possible score of each subject, the sum of d * z over the sequences, indexed by subject.

    Args:
        truth_csv: path of the phantom's `truth.csv`.
        sequences: internal names of one or more sequences.
    """
    truth = pd.read_csv(truth_csv, dtype=str).set_index("subject")
    columns = [(f"d_{name}", f"z_{name}") for name in check_sequences(sequences)]
    scores = sum(truth[shift].astype(float) * truth[latent].astype(float) for shift, latent in columns)
    return scores.rename("planted_score")
