"""List the commands that make each results table of README.md, docs/ and benchmarks/README.md, and run them.

    python benchmarks/readme_tables.py --list                               # names and commands
    GLIOMA_IDH_DATA=FOLDER python benchmarks/readme_tables.py [NAME ...]    # run them (default: all, many hours)

The output of the commands is written to OUT/NAME.txt, the runs to OUT/runs. A training that is already there is not
repeated. FOLDER contains `brats20_mini` (lesion-centred crops of the 121 patients of BraTS 2020 x TCGA), `brats20_full`
(some patients with whole images) and `native_TCGA-FG-6692`. Commands that fail are listed, and the exit status is
then 1. Results in the text, outside tables, are listed if they have a command of their own.
"""

import argparse
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
README, PAGE, PHANTOM = "README.md", "docs/results.md", "docs/phantom.md"
BENCHMARKS = "benchmarks/README.md"
NUMBER = re.compile(r"[*+-]*\d+\.\d")  # the beginning of a cell with a result

SLICES = "python -m glioma_idh.gbm2d.train"
SGPNET = "python -m glioma_idh.sgp3d.train"
EXPERIMENTS = "python -m glioma_idh.sgp3d.experiments"
OCCLUDE = "python -m glioma_idh.sgp3d.occlude"
PATIENTS = "--cohort brats2020-tcga --images {data}/brats20_mini"
WHOLE = "--cohort brats2020 --images {data}/brats20_full/MICCAI_BraTS2020_TrainingData"
CROPS = "--shape 32 32 32 --epochs 20 --learning-rate 1e-3 --idh-learning-rate 5e-4"
OF_SEEDS = [f"{SGPNET} {PATIENTS} {CROPS} --seed {seed} --run-dir {{runs}}/sgpnet-{seed}" for seed in (0, 1, 2)]
LONG_PHANTOM = (
    f"{SGPNET} --phantom-subjects 800 --phantom-spacing-mm 3 --shape 48 48 48 --splits holdout --num-splits 1 "
    "--epochs 25 --idh-learning-rate 1e-3 --dropout 0 --shift-fraction 0 --standardise-features --dtype bfloat16 "
    "--run-dir {runs}/long-phantom"
)


class Result(NamedTuple):
    """A results table, or a result in the text, with the commands that make it.

    Attributes:
        file: the file that contains it.
        start: the beginning of its first line; no other line of the file begins in this way.
        commands: run in this order; `{data}`, `{runs}` and `{out}` are folders.
    """

    file: str
    start: str
    commands: list[str]


RESULTS = {
    "summary": Result(
        README,
        "| Predictor of IDH mutation |",
        [f"{SLICES} --sequence T1Gd {PATIENTS} --splits kfold --run-dir {{runs}}/t1gd-500-0", *OF_SEEDS],
    ),
    "slices-of-phantoms": Result(
        PAGE,
        "| rCBV | ACC | CCEL |",
        [f"{SLICES} --sequence rCBV --seed {seed} --run-dir {{runs}}/rcbv-{seed}" for seed in (0, 1, 2)],
    ),
    "slices-of-patients": Result(
        PAGE,
        "| T1Gd | ACC | AUC, mean of folds |",
        [
            f"{SLICES} --sequence T1Gd {PATIENTS} --splits kfold --epochs {epochs} --seed {seed} "
            f"--run-dir {{runs}}/t1gd-{epochs}-{seed}"
            for epochs, seed in ((500, 0), (120, 0), (120, 1), (120, 2))
        ],
    ),
    "sgpnet-of-patients": Result(
        PAGE,
        "| SGPNet | ACC | AUC, mean of folds |",
        [
            *OF_SEEDS,
            f"{SGPNET} {PATIENTS} {CROPS} --network resnet2d --targets idh --run-dir {{runs}}/resnet2d-0",
            "python -m glioma_idh.report {runs}/sgpnet-0 --out {out}/sgpnet-0.html",
        ],
    ),
    "table1": Result(
        PAGE,
        "| network | AUC, mean of folds |",
        [f"{EXPERIMENTS} table1 --seeds 0 {PATIENTS} {CROPS} --runs-dir {{runs}} --out {{out}}/table1"],
    ),
    "table2": Result(
        PAGE,
        "| segmentation target beside IDH |",
        [f"{EXPERIMENTS} table2 --seeds 0 {PATIENTS} {CROPS} --runs-dir {{runs}} --out {{out}}/table2"],
    ),
    "detach-k": Result(
        PAGE,
        "On the 24 phantom subjects,",
        [f"{EXPERIMENTS} detach-k --seeds 0 --runs-dir {{runs}} --out {{out}}/detach-k"],
    ),
    "occlusion": Result(
        PAGE,
        "| AUC (95 % interval) | unchanged |",
        [
            *OF_SEEDS,
            LONG_PHANTOM,
            *(f"{OCCLUDE} {{runs}}/{name}" for name in ("sgpnet-0", "sgpnet-1", "sgpnet-2", "long-phantom")),
        ],
    ),
    "from-raw-series": Result(
        PAGE,
        "**Comparison with the BraTS version",
        [
            "python -m glioma_idh.prepare {data}/native_TCGA-FG-6692 --out {out}/native",
            "python -m pytest -n 0 tests/preparation/test_real_patient.py",
        ],
    ),
    "rcbv-of-phantoms": Result(PAGE, "| rCBV of phantoms,", ["python benchmarks/maps_of_phantoms.py"]),
    "long-phantom": Result(PHANTOM, "On the 160 subjects of the test set:", [LONG_PHANTOM]),
    "slice-epoch": Result(
        BENCHMARKS, "| | s per epoch, median | whole epoch / this, median of", ["python benchmarks/gbm2d_epoch.py"]
    ),
    "sgpnet-step": Result(
        BENCHMARKS,
        "| | float32 | step / this |",
        [
            f"python benchmarks/sgp3d_step.py --shape 64 --batch-size 2 --dtype {dtype}"
            for dtype in ("float32", "bfloat16")
        ],
    ),
    "sgpnet-step-without-avx512": Result(
        BENCHMARKS,
        "| | 32 x 32 x 32, oneDNN off |",
        [
            "TF_ENABLE_ONEDNN_OPTS=0 python benchmarks/sgp3d_step.py --shape 32 --turns 5",
            "python benchmarks/sgp3d_step.py --shape 32 --turns 5",
            "python benchmarks/sgp3d_step.py --shape 64 --turns 5",
            "python benchmarks/sgp3d_step.py --shape 32 --turns 3 --dtype bfloat16",
        ],
    ),
    "comparators-step": Result(
        BENCHMARKS,
        "Two subjects, 64 x 64 x 64 voxels (residual CNN:",
        [f"python benchmarks/sgp3d_comparators.py --shape 64 --dtype {dtype}" for dtype in ("float32", "bfloat16")],
    ),
    "sgpnet-preparation": Result(
        BENCHMARKS, "| | first patient | second |", [f"python benchmarks/sgp3d_preparation.py {WHOLE}"]
    ),
    "sgpnet-epoch": Result(
        BENCHMARKS, "| | s per epoch, median | mean |", ["python benchmarks/sgp3d_epoch.py --shape 32"]
    ),
    "sgpnet-predict": Result(BENCHMARKS, "| stage | s |", [f"python benchmarks/sgp3d_predict.py {WHOLE}"]),
    "registration": Result(BENCHMARKS, "| | pairs | rotation, largest |", ["python benchmarks/registration.py"]),
    "perfusion": Result(BENCHMARKS, "| | area of the first pass |", ["python benchmarks/perfusion.py"]),
}


def results_tables(text: str) -> list[str]:
    """Return the header lines of the Markdown tables with results: in most rows a cell begins with a decimal number."""
    lines, found = text.splitlines(), []
    for number, line in enumerate(lines[1:], start=1):
        if not re.fullmatch(r"\|( ?:?-+:? ?\|)+", line.strip()):
            continue
        rows = []
        for row in lines[number + 1 :]:
            if not row.startswith("|"):
                break
            rows.append([cell.strip() for cell in row.strip("|").split("|")])
        measured = [row for row in rows if any(NUMBER.match(cell) for cell in row)]
        if 2 * len(measured) > len(rows):
            found.append(lines[number - 1])
    return found


def run(name: str, out: Path, data: str) -> bool:
    """Run the commands of a result until one fails, and write their output to OUT/NAME.txt."""
    folders = {"data": data, "runs": str(out / "runs"), "out": str(out)}
    quoted = {key: shlex.quote(folder) for key, folder in folders.items()}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "PYTHONPATH": str(ROOT), "GLIOMA_IDH_DATA": data}
    with open(out / f"{name}.txt", "w") as file:
        for command in RESULTS[name].commands:
            print(f"$ {command}", file=file, flush=True)
            line = command.format(**quoted)
            done = subprocess.run(line, shell=True, cwd=ROOT, env=environment, stdout=file, stderr=subprocess.STDOUT)
            if done.returncode:
                print(f"ended with {done.returncode}", file=file)
                return False
    return True


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="results to make (default: all)")
    parser.add_argument("--list", action="store_true", help="print names and commands, and run nothing")
    parser.add_argument("--out", type=Path, default=Path("readme_tables"), help="folder for outputs and runs")
    given = parser.parse_args()
    if unknown := set(given.names) - set(RESULTS):
        parser.error(f"expected names from {', '.join(RESULTS)}; found {', '.join(sorted(unknown))}")
    names = given.names or list(RESULTS)
    if given.list:
        for name in names:
            print(f"{name} ({RESULTS[name].file}: {RESULTS[name].start})", *RESULTS[name].commands, sep="\n  ")
        return
    data, out = os.environ.get("GLIOMA_IDH_DATA"), given.out.resolve()
    if not data:
        parser.error("expected the folder of real scans in GLIOMA_IDH_DATA")
    out.mkdir(parents=True, exist_ok=True)
    failed = []
    for name in names:
        print(f"{name}: ", end="", flush=True)
        done = run(name, out, str(Path(data).resolve()))
        failed += [] if done else [name]
        print(f"{'done' if done else 'failed'}, {out / name}.txt")
    sys.exit(f"Failed: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
