"""Time each stage of the prediction of one full-size patient: a network of 144^3 with random weights, two threads.

    pip install ".[bench]" && python benchmarks/sgp3d_predict.py             # a synthetic patient of 240 x 240 x 155
    python benchmarks/sgp3d_predict.py --cohort brats2020 --images DIR       # a real patient

Imports are not counted. The stages of `predict` are timed one after the other; then `predict` is run as a whole.
"""

import argparse
import resource
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import pandas as pd
from sgp3d_preparation import read_subjects

from glioma_idh import runs
from glioma_idh.imaging.volumes import write_volume
from glioma_idh.reporting.figures import overlays  # noqa: F401  imported before timing starts
from glioma_idh.sgp3d import Recipe, SGPNet, inference, place_back, prepare_subject
from glioma_idh.sgp3d.paper import SEQUENCES
from glioma_idh.sgp3d.predict import Prediction
from glioma_idh.sgp3d.prediction import predict_cohort
from glioma_idh.training import device
from glioma_idh.training.predict import load_networks

SHAPE = (144, 144, 144)
THREADS = 2


def make_run(folder: Path) -> Path:
    """Write a finished run of one untrained network."""
    runs.begin_run(folder, {"paper": "sgp3d", **asdict(Recipe(shape=SHAPE))}, {})
    runs.write_table(pd.DataFrame({"subject": ["a"], "repeat": 1, "split": 1, "part": "test"}), folder / "splits.csv")
    runs.write_table(pd.DataFrame({"subject": ["a"], "patient": ["a"]}), folder / "cohort.csv")
    (folder / "split_1").mkdir()
    SGPNet((*SHAPE, len(SEQUENCES))).save(folder / "split_1" / "model.keras")
    runs.write_json({"synthetic": False}, folder / "metrics.json")
    return folder


class Stages:
    """Print the duration of each stage."""

    def __init__(self):
        self.begin = time.perf_counter()

    def end(self, name: str) -> None:
        """End a stage, and start the next one."""
        now = time.perf_counter()
        print(f"{name:32} {now - self.begin:6.2f} s", flush=True)
        self.begin = time.perf_counter()


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohort", default="brats2020", help="cohort of the files in --images, as for training")
    parser.add_argument("--images", metavar="DIR", help="folder of scans as downloaded; the first subject is used")
    wanted = parser.parse_args()
    device.make_reproducible(0, THREADS)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        row = read_subjects(wanted.cohort, wanted.images, folder).iloc[0]
        run = make_run(folder / "run")
        stages = Stages()
        (network,) = load_networks(run, (*SHAPE, len(SEQUENCES)), Recipe().outputs)
        stages.end("load the network")
        prepared = prepare_subject(row, SHAPE, with_mask=False)
        stages.end("read and prepare")
        _, probability = inference.predict_scans(network, prepared.scans)
        stages.end("the network")
        lesion = place_back(probability, prepared.placement)
        write_volume(folder / "lesion.nii.gz", lesion, prepared.placement.own_affine)
        stages.end("mask back, and written")
        inference.predict_scans(network, prepared.scans)
        stages.end("the network on a second patient")
        del network, probability
        predict_cohort(Prediction(run, **{name: row[name] for name in SEQUENCES}))
        stages.end("predict as a whole, with picture")
    print(f"peak memory of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.1f} GB")


if __name__ == "__main__":
    main()
