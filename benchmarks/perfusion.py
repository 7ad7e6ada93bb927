"""Measure time and memory of rCBV from a DSC series: 128 x 128 x 50 voxels, 60 volumes, one or two echoes.

    python benchmarks/perfusion.py

The series is synthetic: a head-sized ellipsoid with a bolus and noise, one fifth of it white matter. All of `make_rcbv`
is timed, from the signals to the maps, for the area of the first pass and for gamma-variate curves. Memory is the peak
in addition to the series themselves.
"""

import argparse
import time
import tracemalloc

import numpy as np

from glioma_idh.imaging.perfusion.acquisition import Times
from glioma_idh.imaging.perfusion.rcbv import make_rcbv
from glioma_idh.phantom.perfusion_series import DscProtocol, sampled_concentrations

SHAPE = (128, 128, 50)
NOISE = 8.0


def make_up(num_echoes: int) -> tuple[list[np.ndarray], DscProtocol, np.ndarray, np.ndarray]:
    """Return synthetic series, their protocol, the brain mask and the white matter mask."""
    protocol = DscProtocol(echo_times_s=(0.008, 0.030)[-num_echoes:])
    rng = np.random.default_rng(0)
    i, j, k = np.ogrid[-1:1:128j, -1:1:128j, -1:1:50j]
    brain = (i / 0.75) ** 2 + (j / 0.9) ** 2 + (k / 0.95) ** 2 < 1
    white = brain & (rng.uniform(size=SHAPE) < 0.2)
    curve = 1.9 * sampled_concentrations(protocol, lesion_transit_s=4.0).healthy.astype(np.float32)
    height = np.where(white, 1, 2).astype(np.float32)[..., None]
    series = []
    for echo_time_s in protocol.echo_times_s:
        echo = 500 * brain[..., None] * np.exp(-echo_time_s * height * curve)
        echo += NOISE * rng.standard_normal(echo.shape, dtype=np.float32)
        series.append(np.abs(echo, dtype=np.float32))
    return series, protocol, brain, white


def measure(num_echoes: int, integral: str, turns: int) -> None:
    """Time `make_rcbv`, run it once more to measure its memory, and print both."""
    series, protocol, brain, white = make_up(num_echoes)
    times, seconds = Times(protocol.echo_times_s, protocol.repetition_time_s), []
    for turn in range(turns + 1):
        if turn == turns:
            tracemalloc.start()
        start = time.perf_counter()
        make_rcbv(series, times, brain, white, integral=integral)
        seconds.append(time.perf_counter() - start)
    peak_mb = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    print(
        f"{num_echoes} echo(es), {brain.sum()} brain voxels, {protocol.num_volumes} volumes, {integral}: "
        f"median {np.median(seconds[:-1]):.1f} s of {turns}; {peak_mb:.0f} MB in addition to the "
        f"{sum(echo.nbytes for echo in series) / 2**20:.0f} MB of the series"
    )


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=5)
    turns = parser.parse_args().turns
    for num_echoes in (1, 2):
        for integral in ("first-pass", "gamma-variate"):
            measure(num_echoes, integral, turns)


if __name__ == "__main__":
    main()
