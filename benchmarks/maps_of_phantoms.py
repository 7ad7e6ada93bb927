"""Measure the error of ADC and rCBV on phantom subjects, with and without leakage correction.

    python benchmarks/maps_of_phantoms.py

Phantom subjects with 2 mm voxels have a diffusion series, and a perfusion series for each situation. The error is that
of the mean over the lesion, for rCBV also over its enhancing rim, averaged over the subjects (docs/results.md).
"""

import argparse

import numpy as np
import pandas as pd

from glioma_idh.imaging.diffusion.adc import make_adc
from glioma_idh.imaging.perfusion.acquisition import Times
from glioma_idh.imaging.perfusion.blood_volume import normal_white_matter
from glioma_idh.imaging.perfusion.rcbv import make_rcbv
from glioma_idh.phantom.anatomy import draw_anatomy, make_anatomy
from glioma_idh.phantom.diffusion_series import B_VALUES, make_dwi
from glioma_idh.phantom.fields import make_grid
from glioma_idh.phantom.lesions import PARTS, draw_lesion, make_lesion
from glioma_idh.phantom.perfusion_series import DscProtocol, Leakage, make_dsc
from glioma_idh.phantom.recipe import PhantomRecipe, draw_truth, random_stream

SITUATIONS = {
    "leakage that shortens T1": (DscProtocol(), Leakage()),
    "leakage that shortens T2*": (DscProtocol(flip_deg=30), Leakage(relaxivity_t2=60)),
    "two echoes": (DscProtocol(echo_times_s=(0.008, 0.030)), Leakage(relaxivity_t2=50)),
    "strong leakage, T1 (twice the Ktrans, 90 degrees)": (DscProtocol(flip_deg=90), Leakage(ktrans_per_min=0.2)),
    "mean transit time in the lesion 6 s instead of 4 s": (DscProtocol(), Leakage(transit_s=6.0)),
    "the same, without leakage": (DscProtocol(), Leakage(ktrans_per_min=0.0, transit_s=6.0)),
}


def adc_error(anatomy, lesion, z: float, index: int) -> float:
    """Return the error of one subject's mean ADC in the lesion, percent."""
    series, truth = make_dwi(anatomy, lesion, z, np.random.default_rng(index))
    found = make_adc(series, B_VALUES, brain=anatomy.brain).adc
    return 100 * float(found[lesion.mask].mean() / truth[lesion.mask].mean() - 1)


def errors(anatomy, lesion, z: float, index: int, protocol: DscProtocol, leakage: Leakage) -> dict[str, float]:
    """Return the errors of one subject's mean rCBV, percent."""
    series, truth = make_dsc(anatomy, lesion, z, np.random.default_rng(index), protocol, leakage)
    white = normal_white_matter(anatomy.white, anatomy.grid.affine, lesion.mask, lesion.mask[::-1])
    times = Times(protocol.echo_times_s, protocol.repetition_time_s)
    found = make_rcbv(series, times, anatomy.brain, white, lesion.mask)
    maps = {"uncorrected": found.rcbv_uncorrected, "corrected": found.rcbv}
    regions = {"lesion": lesion.mask, "rim": lesion.shares[PARTS.index("rim")] > 0.5}
    return {
        f"{kind}, {name}": 100 * float(image[region].mean() / truth[region].mean() - 1)
        for kind, image in maps.items()
        for name, region in regions.items()
        if region.any()
    }


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--subjects", type=int, default=10)
    num_subjects = parser.parse_args().subjects
    recipe, rows, of_adc = PhantomRecipe(), [], []
    truth, grid = draw_truth(recipe), make_grid(recipe.spacing_mm)
    for index in range(num_subjects):
        anatomy = make_anatomy(draw_anatomy(random_stream(recipe, index, "anatomy")), grid)
        lesion = make_lesion(draw_lesion(random_stream(recipe, index, "lesion")), anatomy)
        of_adc.append(adc_error(anatomy, lesion, float(truth.loc[index, "z_adc"]), index))
        for situation, acquired in SITUATIONS.items():
            found = errors(anatomy, lesion, float(truth.loc[index, "z_rcbv"]), index, *acquired)
            rows.append({"situation": situation} | found)
            print(index, situation, {name: round(value, 1) for name, value in found.items()}, flush=True)
    print(f"ADC in the lesion: {min(of_adc):+.1f} to {max(of_adc):+.1f} %")
    print(pd.DataFrame(rows).groupby("situation", sort=False).mean().round(1).to_markdown())


if __name__ == "__main__":
    main()
