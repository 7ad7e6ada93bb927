"""Time the performance measures of 10,000 patients and the measures of a lesion mask in a whole head, on one thread.

    pip install . && python benchmarks/evaluation.py

Times on a shared machine: bootstrap of an AUC 1 s, all measures of a table 4 s, a mask 0.2 s. Investigate if a time is
more than twice as long.
"""

import statistics
import time

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from glioma_idh.evaluation.bootstrap import bootstrap_auc
from glioma_idh.evaluation.performance import evaluate
from glioma_idh.evaluation.segmentation import mask_scores

NUM_PATIENTS = 10_000
TURNS = 3


def make_tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a synthetic predictions table and a cohort table with all columns."""
    random, names = np.random.default_rng(0), [f"p{number:05}" for number in range(NUM_PATIENTS)]
    truth = (random.random(NUM_PATIENTS) < 0.4).astype(int)
    score = 1 / (1 + np.exp(0.5 - truth - random.normal(size=NUM_PATIENTS)))
    own, volume = {"subject": names, "patient": names}, random.lognormal(3, 1, NUM_PATIENTS)
    table = pd.DataFrame(own | {"repeat": 0, "split": np.arange(NUM_PATIENTS) % 5, "truth": truth, "score": score})
    table = table.assign(dice=score, hd95_mm=10 * score, lesion_ml=volume, predicted_ml=1.1 * volume)
    table = table.assign(num_lesions=2, num_lesions_found=1, num_false_lesions=0)
    grade = np.where(random.random(NUM_PATIENTS) < 0.3 + 0.4 * truth, "LGG", "HGG")
    sites = {"sex": random.choice(["F", "M"], NUM_PATIENTS), "site": random.choice(list("abcd"), NUM_PATIENTS)}
    age = 60 - 10 * truth + random.uniform(-20, 20, NUM_PATIENTS)
    return table, pd.DataFrame(own | {"idh": truth, "grade": grade, "age_years": age, "lesion_ml": volume} | sites)


def ball(centre, radius: int) -> np.ndarray:
    """Return the mask of a ball-shaped lesion in a head of 240 x 240 x 155 voxels of 1 mm."""
    i, j, k = (axis - middle for axis, middle in zip(np.ogrid[:240, :240, :155], centre, strict=True))
    return i**2 + j**2 + k**2 <= radius**2


def main() -> None:
    """Time each task several times, and print the medians."""
    table, cohort = make_tables()
    predicted, reference = ball((84, 100, 70), 38), ball((80, 100, 70), 40)
    tasks = {
        "bootstrap of an AUC": lambda: bootstrap_auc(table["truth"], table["score"]),
        "every number about a table": lambda: evaluate(table, cohort),
        "scores of a mask": lambda: mask_scores(predicted, reference, (1, 1, 1)),
    }
    seconds = {name: [] for name in tasks}
    with threadpool_limits(1):
        for _ in range(TURNS):
            for name, task in tasks.items():
                start = time.process_time()
                task()
                seconds[name].append(time.process_time() - start)
    for name, values in seconds.items():
        print(f"{name}: {statistics.median(values):.2f} s")


if __name__ == "__main__":
    main()
