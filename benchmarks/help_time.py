"""Measure how long the help of each command takes; it loads no heavy library.

    python benchmarks/help_time.py

Prints the fastest of several runs, and that of an interpreter that does nothing for comparison.
"""

import subprocess
import sys
import time

COMMANDS = (
    "glioma_idh",
    "glioma_idh.gbm2d.train",
    "glioma_idh.gbm2d.predict",
    "glioma_idh.sgp3d.train",
    "glioma_idh.sgp3d.predict",
    "glioma_idh.sgp3d.experiments",
    "glioma_idh.sgp3d.occlude",
    "glioma_idh.predict",
    "glioma_idh.prepare",
    "glioma_idh.report",
    "glioma_idh.cohorts",
)
RUNS = 5


def seconds(*arguments: str) -> float:
    """The fastest of several runs of Python with these arguments."""
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
        times.append(time.perf_counter() - start)
    return min(times)


if __name__ == "__main__":
    print(f"{seconds('-c', ''):5.2f} s  python")
    for module in COMMANDS:
        print(f"{seconds('-m', module, '--help'):5.2f} s  {module}")
