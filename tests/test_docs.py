"""README.md and docs/: size, links, the way to each page, figures that agree."""

import operator
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import glioma_idh

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PAGES = [*ROOT.glob("docs/*.md"), *(ROOT / name for name in ("CONTRIBUTING.md", "CHANGELOG.md"))]
PAGES += [ROOT / "data_manifests/README.md", ROOT / "benchmarks/README.md"]
LINK = re.compile(r"\]\(([^)\s]+)\)")


def links(page: Path) -> list[tuple[Path, str]]:
    """The files that a page links to, with the anchor in each; addresses on the web are left out."""
    targets = [target for target in LINK.findall(page.read_text()) if not target.startswith("https://")]
    parts = [target.partition("#") for target in targets]
    return [((page.parent / file).resolve() if file else page, anchor) for file, _, anchor in parts]


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_readme_is_short_and_begins_with_the_set_up():
    text = README.read_text()
    assert len(text.encode()) <= 9 * 1024
    install = "python -m venv .venv && . .venv/bin/activate && pip install ."
    first = f"{install} && python -m glioma_idh.gbm2d.train --sequence rCBV"
    assert text.splitlines()[2:6] == ["```bash", first, 'pip install ".[test]" && pytest', "```"]


@pytest.mark.parametrize("page", [README, *PAGES], ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for file, anchor in links(page):
        assert file.exists(), file
        assert not anchor or anchor in anchors(file), f"{file}: no heading for #{anchor}"


def test_each_page_is_reachable_from_the_readme():
    assert {page.resolve() for page in PAGES} <= {file for file, _ in links(README)}


def test_figures_of_the_readme_stand_on_the_page_of_results():
    table = re.findall(r"^\| (?:Slice CNN|SGPNet).+$", README.read_text(), re.MULTILINE)
    figures = re.findall(r"\d\.\d\d \(\d\.\d\d to \d\.\d\d\)", "".join(table))
    results = (ROOT / "docs/results.md").read_text()
    assert len(figures) == 4 and all(f"| {figure} |" in results for figure in figures)


def test_the_screenshot_is_small():
    assert (ROOT / "docs/images/report.png").stat().st_size < 250_000


COMMANDS = (
    *("prepare", "train gbm2d", "train sgp3d", "predict", "experiments", "occlude", "report"),
    *(
        f"cohorts {name}"
        for name in ("check", "overlap", "table", "tcga-idh", "brats2020-tcga", "upenn-gbm", "ucsf-pdgm")
    ),
    "",  # the list of commands
)
LONG_FORMS = {"gbm2d.train": "train gbm2d", "sgp3d.train": "train sgp3d", "prepare": "prepare"}
LONG_FORMS |= {"sgp3d.experiments": "experiments", "sgp3d.occlude": "occlude"}
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]*")


@pytest.fixture(scope="module")
def helps() -> dict[str, str]:
    """The help of every command."""

    def help_of(command: str) -> str:
        arguments = [sys.executable, "-m", "glioma_idh", *command.split(), "--help"]
        return subprocess.run(arguments, capture_output=True, text=True, check=True, cwd=ROOT).stdout

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(COMMANDS, pool.map(help_of, COMMANDS), strict=True))


def typed(page: Path) -> list[tuple[str, str]]:
    """Return the commands in the code blocks of a page, each with the words after it; comments are left out."""
    blocks = "\n".join(re.findall(r"^```bash\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE))
    lines = [line.partition("#")[0].strip() for line in blocks.replace("\\\n", " ").splitlines()]
    found = []
    for line in lines:
        if match := re.search(r"(?:^|&& |time )(?:glioma-idh|python -m glioma_idh)[ .](.*)$", line):
            words = match[1]
            name = words.split()[0]
            words = LONG_FORMS[name] + words.removeprefix(name) if name in LONG_FORMS else words
            found.append(next((c, words.removeprefix(c)) for c in COMMANDS if words.startswith(c)))
    return found


@pytest.mark.integration
@pytest.mark.parametrize("page", [README, *PAGES], ids=lambda page: str(page.relative_to(ROOT)))
def test_documented_commands_take_the_options_that_are_shown(page, helps):
    for command, rest in typed(page):
        assert command or rest.startswith("--"), f"{page.name}: no command {rest}"
        for option in OPTION.findall(rest):
            assert option in OPTION.findall(helps[command]), f"{page.name}: {command} has no option {option}"


@pytest.mark.integration
@pytest.mark.parametrize("page", [README, *ROOT.glob("docs/*.md")], ids=lambda page: str(page.relative_to(ROOT)))
def test_documented_options_are_some_command_s(page, helps):
    known = {option for text in helps.values() for option in OPTION.findall(text)}
    known |= {option for path in ROOT.glob("benchmarks/*.py") for option in OPTION.findall(path.read_text())}
    assert set(OPTION.findall(page.read_text())) - {"--help"} <= known


@pytest.mark.parametrize("page", [README, *ROOT.glob("docs/*.md")], ids=lambda page: str(page.relative_to(ROOT)))
def test_documented_python_uses_public_names(page):
    for block in re.findall(r"^```python\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE):
        modules = re.findall(r"^(?:import|from) (.+)$", block, re.MULTILINE)
        assert modules == ["glioma_idh as gi"]
        for names in re.findall(r"\bgi((?:\.\w+)+)", block):
            operator.attrgetter(names.removeprefix("."))(glioma_idh)
