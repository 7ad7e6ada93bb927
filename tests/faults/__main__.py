"""Does a test fail when the code is wrong?  python -m tests.faults

Puts deliberate faults, one at a time, into a copy of the code, runs the tests named for each, and says which of them
were caught. The faults stand in the `.toml` files beside this one, one file a room of the package.
"""

import os
import queue
import random
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NamedTuple

import tyro

ROOT = Path(__file__).resolve().parents[2]
IGNORED = shutil.ignore_patterns(".git", ".*cache", ".venv", "__pycache__", "*.egg-info", "build", "dist")
RUNS = {"runs"}  # of training, in the root alone: the package has a folder of that name
TIMEOUT_S = 600


@dataclass(frozen=True)
class Fault:
    """One deliberate fault.

    Attributes:
        name: what goes wrong, in words.
        file: that it is put into, relative to the root.
        old: text of the file, found there exactly once.
        new: text that takes its place.
        tests: files or test ids, at least one test of which must fail.
    """

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def broken(self, root: Path) -> str:
        """The file's text with the fault in it.

        Raises:
            ValueError: the fault no longer applies.
        """
        path = root / self.file
        if not path.exists():
            raise ValueError(f"there is no {self.file}")
        text = path.read_text()
        if (count := text.count(self.old)) != 1 or self.old == self.new:
            raise ValueError(f"its old text stands {count} times in {self.file}, expected once and unlike the new one")
        return text.replace(self.old, self.new)


class Outcome(NamedTuple):
    """What became of a fault: `caught`, `NOT CAUGHT`, `NO LONGER APPLIES` or `CANNOT BE JUDGED`, and by or why."""

    state: str
    detail: str


def read_faults(folder: Path = Path(__file__).parent) -> list[Fault]:
    """All faults that are listed, in the order of the files."""
    listed = [
        (name, fault)
        for file in sorted(folder.glob("*.toml"))
        for name, fault in tomllib.loads(file.read_text()).items()
    ]
    faults = [Fault(name, **{**fault, "tests": tuple(fault["tests"])}) for name, fault in listed]
    names = [fault.name for fault in faults]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"Two faults of one name: {', '.join(sorted(twice))}")
    return faults


def run_tests(
    root: Path, tests: tuple[str, ...], *options: str, timeout_s: float | None = TIMEOUT_S
) -> subprocess.CompletedProcess:
    """Pytest in a copy of the tree, which is imported before any installed package."""
    environment = os.environ | {"PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "--tb=no", "-p", "no:cacheprovider", *options, *tests]
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=timeout_s)


def judge(fault: Fault, root: Path) -> Outcome:
    """Put a fault into a copy of the tree, run its tests, and take it out again."""
    try:
        broken = fault.broken(root)
    except ValueError as error:
        return Outcome("NO LONGER APPLIES", str(error))
    file = root / fault.file
    original = file.read_text()
    file.write_text(broken)
    try:
        done = run_tests(root, fault.tests, "-x", "-n", "0", "-rfE")
    except subprocess.TimeoutExpired:
        return Outcome("CANNOT BE JUDGED", f"its tests took more than {TIMEOUT_S} s")
    finally:
        file.write_text(original)
    failed = re.search(r"^(?:FAILED|ERROR) (\S+::.+?)(?: - .*)?$", done.stdout, re.MULTILINE)
    if done.returncode == 1 and failed:
        return Outcome("caught", failed.group(1))
    if done.returncode == 0:
        return Outcome("NOT CAUGHT", ", ".join(fault.tests))
    return Outcome("CANNOT BE JUDGED", f"pytest ended with {done.returncode}: {' '.join(done.stdout.split()[-30:])}")


def left_out(folder: str, names: list[str]) -> set[str]:
    """What of a folder is not copied."""
    return IGNORED(folder, names) | (RUNS if Path(folder) == ROOT else set())


def judge_all(faults: list[Fault], jobs: int):
    """The outcome of each fault as it comes, `jobs` copies of the tree side by side."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(jobs) as pool:
        copies = queue.SimpleQueue()
        for number in range(jobs):
            copies.put(shutil.copytree(ROOT, Path(folder) / str(number), ignore=left_out))

        def in_a_copy(fault: Fault) -> Outcome:
            root = copies.get()
            try:
                return judge(fault, root)
            finally:
                copies.put(root)

        pending = {pool.submit(in_a_copy, fault): fault for fault in faults}
        for future in as_completed(pending):
            yield pending[future], future.result()


def check_tests(faults: list[Fault], jobs: int) -> None:
    """Run the tests of these faults on the code as it is: they must pass, or what they catch means nothing.

    Without a time limit: those of all faults are most of the suite.
    """
    tests = tuple(sorted({test for fault in faults for test in fault.tests}))
    print(f"{len(tests)} tests and files without a fault:", flush=True)
    done = run_tests(ROOT, tests, "-n", str(jobs), timeout_s=None)
    print(done.stdout.strip().splitlines()[-1])
    if done.returncode:
        sys.exit(f"These tests must pass before a fault is put in.\n{done.stdout}{done.stderr}")


def draw_faults(faults: list[Fault], number: int, seed: int) -> list[Fault]:
    """So many of the faults, at random."""
    return random.Random(seed).sample(faults, min(number, len(faults)))


def find_stale(faults: list[Fault]) -> list[Fault]:
    """The faults that no longer apply, each printed with the reason."""
    stale = []
    for fault in faults:
        try:
            fault.broken(ROOT)
        except ValueError as error:
            stale.append(fault)
            print(f"NO LONGER APPLIES: {fault.name}: {error}")
    return stale


def main(
    names: tyro.conf.Positional[tuple[str, ...]] = (),
    /,
    draw: Annotated[int | None, tyro.conf.arg(name="random")] = None,
    seed: int | None = None,
    jobs: int = 2,
    list_only: Annotated[bool, tyro.conf.arg(name="list")] = False,
    skip_check: bool = False,
) -> None:
    """Put faults into a copy of the code and say which of them the tests catch.

    Args:
        names: parts of the names of the faults to try; all of them by default.
        draw: so many of them, drawn at random.
        seed: of that draw; a new one each time by default, and printed.
        jobs: faults tried at once.
        list_only: print the faults and whether they still apply, and run nothing.
        skip_check: do not first run the tests without any fault.
    """
    every = read_faults()
    stale = find_stale(every)
    wanted = [fault for fault in every if not names or any(name.lower() in fault.name.lower() for name in names)]
    faults = [fault for fault in wanted if fault not in stale]
    if not faults:
        sys.exit(f"No fault that applies is called {', '.join(names) or 'anything'}.")
    if draw is not None:
        seed = random.SystemRandom().randrange(10**6) if seed is None else seed
        print(f"{draw} of {len(faults)} faults, drawn with --seed {seed}")
        faults = draw_faults(faults, draw, seed)
    if list_only:
        print("\n".join(f"{fault.file}: {fault.name}" for fault in faults))
        sys.exit(len(stale) > 0)
    if not skip_check:
        check_tests(faults, jobs)
    caught = 0
    for fault, (state, detail) in judge_all(faults, jobs):
        caught += state == "caught"
        print(f"{state}: {fault.name}: {detail}", flush=True)
    print(f"{caught} of {len(faults)} faults caught" + (f"; {len(stale)} no longer apply" if stale else ""))
    sys.exit(caught < len(faults) or len(stale) > 0)


if __name__ == "__main__":
    tyro.cli(main, prog="python -m tests.faults", description=__doc__, config=(tyro.conf.FlagCreatePairsOff,))
