"""Check that each notebook runs within three minutes on two processors: python benchmarks/notebooks.py [NAME ...]

The notebooks are run unchanged. The exit status is 1 if one takes longer. Processor time is counted, because other work
may share the machine.
"""

import os
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path

from nbmake.nb_run import NotebookRun

ROOT = Path(__file__).parents[1]
LIMIT_S, CORES, CELL_S = 180, 2, 900  # CELL_S: a cell that takes longer hangs


def processor_s() -> float:
    """Return the processor time of all kernels that have ended, s."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Run the named notebooks (default: all), and print their run times."""
    os.environ["PYTHONPATH"] = f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    late = []
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        if sys.argv[1:] and path.stem not in sys.argv[1:]:
            continue
        with tempfile.TemporaryDirectory() as folder:
            before, start = processor_s(), time.perf_counter()
            result = NotebookRun(Path(shutil.copy(path, folder)), default_timeout=CELL_S).execute()
            used, wall = processor_s() - before, time.perf_counter() - start
        print(f"{path.stem}: {used:.0f} s of processor time, {wall:.0f} s", flush=True)
        if result.error is not None:
            sys.exit(f"{path.stem}: {result.error.trace}")
        late += [path.stem] if used >= LIMIT_S * CORES else []
    sys.exit(f"Longer than {LIMIT_S} s on {CORES} processors: {', '.join(late)}" if late else 0)


if __name__ == "__main__":
    main()
