"""README.md and docs/: size, links, the way to each page, figures that agree."""

import re
from pathlib import Path

import pytest

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
