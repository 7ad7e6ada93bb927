"""Time the preprocessing of one full-size subject, and the same steps with MONAI's transforms.

    pip install ".[bench]" && python benchmarks/sgp3d_preparation.py         # a synthetic subject of 240 x 240 x 155
    python benchmarks/sgp3d_preparation.py --cohort brats2020 --images DIR   # real subjects

Both read four scans and the mask, reorient them to RAS+, crop them to the voxels that are not black in any sequence,
resample them to 144^3 (scans trilinear, mask nearest neighbour) and standardise each sequence. They take turns in one
process, so that a slower machine affects both; medians are reported. Then the results are compared voxel by voxel.
"""

import argparse
import tempfile
import time
from pathlib import Path

import nibabel
import numpy as np
import pandas as pd
import torch
from monai import transforms

from glioma_idh import cohorts
from glioma_idh.sgp3d.paper import SEQUENCES
from glioma_idh.sgp3d.preprocessing import prepare_subject

SHAPE = (144, 144, 144)
GRID, AFFINE = (240, 240, 155), np.diag([-1.0, -1.0, 1.0, 1.0])  # of BraTS, LPS
THREADS = 2


def write_made_up(folder: Path) -> pd.DataFrame:
    """Write a synthetic subject as in BraTS: 16-bit, about 2 MB per gzipped scan, brain in a sixth of the grid."""
    rng = np.random.default_rng(0)
    i, j, k = np.ogrid[-1 : 1 : GRID[0] * 1j, -1 : 1 : GRID[1] * 1j, -1 : 1 : GRID[2] * 1j]
    brain = (i / 0.6) ** 2 + (j / 0.7) ** 2 + (k / 0.85) ** 2 < 1
    lesion = (i - 0.2) ** 2 + (j - 0.2) ** 2 + (k / 0.8) ** 2 < 0.06
    images = {name: (brain * rng.normal(1000, 200, GRID)).astype(np.int16) for name in SEQUENCES}
    row = {"subject": "made-up"}
    for name, image in {**images, "lesion_mask": lesion.astype(np.uint8)}.items():
        row[name] = str(folder / f"{name}.nii.gz")
        nibabel.save(nibabel.Nifti1Image(image, AFFINE), row[name])
    return pd.DataFrame([row])


def read_subjects(cohort: str, images: str | None, folder: Path) -> pd.DataFrame:
    """Return the subjects of a cohort that have all five files, or a synthetic one if no images are named."""
    if images is None:
        return write_made_up(folder)
    table, _ = cohorts.read(cohort, images, sequences=SEQUENCES)
    return table[(table[[*SEQUENCES, "lesion_mask"]] != "").all(axis=1)]


def monai_preparation():
    """Return the same steps in MONAI, in the fastest order: four scans as one image, reoriented at the end."""
    both = ("scans", "mask")
    return transforms.Compose(
        [
            transforms.LoadImaged(both, reader="NibabelReader"),
            transforms.EnsureChannelFirstd(both),
            transforms.CropForegroundd(both, source_key="scans", select_fn=lambda scans: scans != 0),
            transforms.Resized(both, SHAPE, mode=("trilinear", "nearest-exact"), align_corners=(False, None)),
            transforms.NormalizeIntensityd("scans", nonzero=False, channel_wise=True),
            transforms.Lambdad("mask", lambda mask: mask != 0),
            transforms.Orientationd(both, axcodes="RAS", labels=None),
        ]
    )


def implementations(row: pd.Series) -> dict:
    """Return functions that preprocess the subject and return scans (i, j, k, 4) and mask (i, j, k)."""
    preparation = monai_preparation()
    files = {"scans": [row[name] for name in SEQUENCES], "mask": row["lesion_mask"]}

    def ours():
        prepared = prepare_subject(row, SHAPE)
        return prepared.scans, prepared.mask

    def monai():
        prepared = preparation(files)
        return np.moveaxis(prepared["scans"].numpy(), 0, -1), prepared["mask"][0].numpy()  # views

    return {"prepare_subject": ours, "MONAI": monai}


def compare(row: pd.Series, turns: int) -> None:
    """Run both in turns, and print the medians and the differences between their results."""
    runs = implementations(row)
    seconds, results = {name: [] for name in runs}, {}
    for turn in range(turns + 1):
        for name, run in runs.items():
            start = time.perf_counter()
            results[name] = run()
            if turn > 0:  # the first turn imports
                seconds[name].append(time.perf_counter() - start)
    print(f"{row['subject']}, median of {turns} turns")
    ours = np.array(seconds["prepare_subject"])
    for name, values in seconds.items():
        print(f"  {name:16} {np.median(values):6.2f} s, prepare_subject / this {np.median(ours / values):.2f}")
    (scans, mask), (monai_scans, monai_mask) = results.values()
    print(f"  scans differ by at most {np.abs(scans - monai_scans).max():.1g} standard deviations,", end=" ")
    print(f"masks in {np.count_nonzero(mask != monai_mask)} of {mask.size} voxels ({np.count_nonzero(mask)} of lesion)")


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohort", default="brats2020", help="cohort of the files in --images, as for training")
    parser.add_argument("--images", metavar="DIR", help="folder of scans as downloaded; the first two are used")
    parser.add_argument("--turns", type=int, default=7)
    wanted = parser.parse_args()
    torch.set_num_threads(THREADS)
    with tempfile.TemporaryDirectory() as folder:
        for _, row in read_subjects(wanted.cohort, wanted.images, Path(folder)).head(2).iterrows():
            compare(row, wanted.turns)


if __name__ == "__main__":
    main()
