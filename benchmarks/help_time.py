"""Time the help of each command, which must not load a large library.

    python benchmarks/help_time.py

Prints the fastest of several runs for each command and for Python alone; about 0.2 s on a machine without other work.
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
    """Return the shortest time of several runs of Python with these arguments, s."""
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
