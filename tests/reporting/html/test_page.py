"""What a page holds, which files stand beside it, and that nothing of a reader's own is lost."""

import base64
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from glioma_idh.errors import InputError
from glioma_idh.reporting import html as page
from glioma_idh.reporting.figures.canvas import SYNTHETIC_NOTE, new_figure
from glioma_idh.reporting.figures.cases import Case
from glioma_idh.reporting.html import (
    LIST,
    Listing,
    Paragraph,
    Picture,
    Section,
    Sheet,
    Viewer,
    file_names,
    viewer,
    write_page,
)
from glioma_idh.reporting.html.viewer import pack_cases, pack_volume

HOSTILE = """</script><b>"S'1"</b> & 患者 {{ 1 }} \\ ../x"""
SCORES = pd.DataFrame(
    {
        "network": [HOSTILE, "the_paper", "grade alone"],
        "AUC": ["0.91 (0.84 to 0.96)", "0.949", "cannot be computed, because"],
        "p": ["< 0.001", "-", ""],
        "why": ["3 of 4 known", "by hand", "by hand"],
    }
)


def figure(words="a"):
    drawn = new_figure(3, 2, synthetic=False)
    drawn.text(0.5, 0.5, words)
    return drawn


def case(title="S1", shape=(4, 5, 3), **lesions):
    scan = np.arange(1, 1 + np.prod(shape), dtype=np.float32).reshape(shape)
    return Case({"t2": scan, "t1": scan}, lesions.get("reference"), lesions.get("predicted"), (1, 1, 2), title)


def sections(name="roc"):
    lesion = np.zeros((4, 5, 3), bool)
    lesion[1, 1, 1] = True
    return [
        Section(HOSTILE, [Paragraph(f"One.\n\n{HOSTILE}"), Sheet("scores", SCORES, HOSTILE)]),
        Section("Figures", [Picture(name, figure(), HOSTILE, HOSTILE), Listing(f"\npython --seed 1 {HOSTILE}\n")]),
        Section("Lesions", [Viewer({HOSTILE: case(HOSTILE, reference=lesion, predicted=~lesion)})]),
    ]


def write(folder: Path, **changes):
    arguments = {"title": HOSTILE, "result": HOSTILE, "sections": sections(), "synthetic": False} | changes
    return write_page(
        folder / changes.pop("name", "report.html"), **{k: arguments[k] for k in arguments if k != "name"}
    )


class Reader(HTMLParser):
    """The tags of a page with their attributes, and the words inside each innermost tag."""

    def __init__(self, text: str):
        super().__init__()
        self.tags, self.words, self.inside = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag != "wbr":
            self.inside.append(tag)

    def handle_endtag(self, tag):
        while self.inside and self.inside.pop() != tag:
            pass

    def handle_data(self, data):
        self.words.append((self.inside[-1] if self.inside else "", data))

    def all(self, tag: str, attribute: str) -> list[str]:
        return [attributes[attribute] for name, attributes in self.tags if name == tag and attribute in attributes]

    def text(self, *tags: str) -> str:
        return "".join(data for tag, data in self.words if not tags or tag in tags)


def read(path: Path) -> Reader:
    return Reader(path.read_text(encoding="utf-8"))


def tree(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_title_and_result_come_first_and_every_text_as_it_was(tmp_path):
    found = read(write(tmp_path))
    assert found.text("title") == found.text("h1") == HOSTILE
    order = [(tag, attributes.get("id", "")) for tag, attributes in found.tags if tag in ("h1", "p", "nav", "section")]
    assert order[:4] == [("h1", ""), ("p", "result"), ("nav", ""), ("section", "section-1")]
    assert found.text("h2") == f"{HOSTILE}FiguresLesions"
    assert found.text("code").startswith(f"python  1 {HOSTILE}") and found.text("span").count("--seed") == 1
    assert found.all("img", "alt") == [HOSTILE]
    assert "One." in [words for tag, words in found.words if tag == "p"]
    # title, heading, result, contents, heading of the section, paragraph, a cell, 2 captions, code
    assert found.text().count(HOSTILE) == 10
    assert found.text("b") == "Table 1.Figure 1."  # no other bold letters have come in
    assert "the_paper" in found.text("th")


def test_cautions_stand_between_title_and_result_and_no_box_without_them(tmp_path):
    page = write(tmp_path, title="The title", result="The result", cautions=["First <b>.", "Second."]).read_text()
    places = [page.index(text) for text in ("<h1>The title", "First &lt;b&gt;.", "Second.", "The result</p>")]
    assert places == sorted(places) and 'class="cautions"' in page
    assert 'class="cautions"' not in write(tmp_path).read_text()


def test_every_word_and_picture_stands_in_its_own_place(tmp_path):
    tables = [pd.DataFrame({"who": [f"w{n}"], "AUC": [f"0.{n}"]}) for n in (1, 2)]
    first = [Picture("one", figure("ONE"), "Caption one.", "Alt one."), Sheet("t1", tables[0], "Table one.")]
    second = [Sheet("t2", tables[1], "Table two."), Picture("two", figure("TWO"), "Caption two.", "Alt two.")]
    parts = [Section("First", first), Section("Second", second)]
    path = write_page(tmp_path / "report.html", "The title", "The result.", parts)
    found, text = read(path), path.read_text()
    assert found.text("title") == found.text("h1") == "The title" and found.all("img", "alt") == [
        "Alt one.",
        "Alt two.",
    ]
    assert [words for tag, words in found.words if tag == "p" and "result" in words] == ["The result."]
    said = ["The title", "The result.", "Alt one.", "Figure 1.", "Caption one.", "Table 1.", "Table one.", ">w1<"]
    said += ["Table 2.", "Table two.", ">w2<", "Alt two.", "Figure 2.", "Caption two."]
    places = [text.index(words, text.index("<h1>")) for words in said]
    assert places == sorted(places)
    for source, name in zip(found.all("img", "src"), ("one", "two"), strict=True):
        shown = base64.b64decode(source.partition(",")[2])
        assert shown == (tmp_path / "report_files" / "figures" / f"{name}.svg").read_bytes()
    for table, name in zip(tables, ("t1", "t2"), strict=True):
        written = pd.read_csv(tmp_path / "report_files" / "tables" / f"{name}.csv", dtype=str)
        pd.testing.assert_frame_equal(written, table)


def test_nothing_lies_outside_the_file(tmp_path):
    path = write(tmp_path)
    found = read(path)
    assert "://" not in path.read_text()
    assert all(source.startswith("data:") for source in found.all("img", "src"))
    assert found.all("script", "src") == [] and [rel for rel in found.all("link", "rel")] == ["icon"]
    inside = [address for address in found.all("a", "href") if address.startswith("#")]
    assert {address[1:] for address in inside} <= set(found.all("section", "id") + found.all("p", "id"))


def test_figures_and_tables_stand_beside_the_page_and_are_linked(tmp_path):
    path = write(tmp_path, name="a <b> 患者.html")
    files = tmp_path / "a <b> 患者_files"
    expected = ["figures/roc.png", "figures/roc.svg", LIST, "tables/scores.csv", "tables/scores.tex"]
    assert tree(files) == sorted(expected)
    links = [unquote(address) for address in read(path).all("a", "href") if not address.startswith("#")]
    assert sorted(links) == [f"{files.name}/{name}" for name in sorted(expected) if name != LIST]
    table = pd.read_csv(files / "tables" / "scores.csv", keep_default_na=False)
    pd.testing.assert_frame_equal(table, SCORES)
    assert "AUC & p & why" in (files / "tables" / "scores.tex").read_text()


def test_a_small_figure_is_shown_as_svg_a_large_one_as_png(tmp_path, monkeypatch):
    for ending, most in (("svg", 10**6), ("png", 10)):
        monkeypatch.setattr(page, "LARGEST_SVG", most)
        [source] = read(write(tmp_path)).all("img", "src")
        shown = base64.b64decode(source.partition(",")[2])
        assert shown == (tmp_path / "report_files" / "figures" / f"roc.{ending}").read_bytes()
    attributes = next(attributes for tag, attributes in read(write(tmp_path)).tags if tag == "img")
    assert (attributes["width"], attributes["height"]) == ("288", "192")  # 3 x 2 inches


def test_columns_of_numbers_are_known_by_most_of_their_cells(tmp_path):
    found = read(write(tmp_path))
    headings = [
        attributes.get("class", "") for tag, attributes in found.tags if (tag, attributes.get("scope")) == ("th", "col")
    ]
    assert headings == ["", "number", "number", ""]
    assert "0.91 (0.84\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}0.96)" in found.text("td")


def test_phantoms_are_marked_in_every_section_and_file(tmp_path):
    path = write(tmp_path, synthetic=True)
    found = read(path)
    assert found.text("p").count(SYNTHETIC_NOTE) == 1 + len(sections())
    for ending in ("csv", "tex"):
        assert SYNTHETIC_NOTE in (tmp_path / "report_files" / "tables" / f"scores.{ending}").read_text()
    write(tmp_path)
    assert not any(SYNTHETIC_NOTE in file.read_text() for file in tmp_path.rglob("*.*") if file.suffix != ".png")


def test_the_same_report_gives_the_same_bytes(tmp_path):
    one, two = write(tmp_path / "1"), write(tmp_path / "2")
    assert one.read_bytes() == two.read_bytes()
    assert [
        (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes() for name in tree(tmp_path / "1")
    ]


def test_file_names_fit_any_disk_and_differ():
    names = ["roc", "ROC", "../../etc/x", '"<S 1>": 患者/é', "...", "", "a" * 200]
    found = file_names(names)
    assert found == ["roc", "ROC_2", "etc_x", "S_1_患者_é", "unnamed", "unnamed_2", "a" * 60]


def test_a_new_report_takes_the_place_of_the_old_and_of_nothing_else(tmp_path):
    write(tmp_path)
    files = tmp_path / "report_files"
    own = files / "figures" / "for_the_paper.png"
    own.write_text("mine")
    write(tmp_path, sections=sections(name="other"))
    assert tree(files) == sorted(
        [
            "figures/for_the_paper.png",
            "figures/other.png",
            "figures/other.svg",
            LIST,
            "tables/scores.csv",
            "tables/scores.tex",
        ]
    )
    before = {name: (tmp_path / name).read_bytes() for name in tree(tmp_path)}
    with pytest.raises(InputError, match="for_the_paper.png: expected a free file name; found a file that is not part"):
        write(tmp_path, sections=sections(name="for_the_paper"))
    assert {name: (tmp_path / name).read_bytes() for name in tree(tmp_path)} == before


def test_a_list_that_was_tampered_with_reaches_nothing_outside(tmp_path):
    write(tmp_path)
    kept = tmp_path / "cohort.csv"
    kept.write_text("mine")
    with (tmp_path / "report_files" / LIST).open("a") as names:
        names.write("../cohort.csv\ntables/../../cohort.csv\n")
    write(tmp_path, sections=[])
    assert kept.read_text() == "mine" and tree(tmp_path / "report_files") == [LIST]


def test_a_page_without_files_makes_no_folder(tmp_path):
    write(tmp_path, sections=[Section("a", [Paragraph("b")])])
    assert tree(tmp_path) == ["report.html"]


def test_a_failure_on_the_way_leaves_the_former_page(tmp_path):
    before = write(tmp_path).read_bytes()
    with pytest.raises(TypeError, match="expected a part of a page; found str"):
        write(tmp_path, sections=[*sections(name="other"), Section("a", ["a string"])])
    assert (tmp_path / "report.html").read_bytes() == before
    write(tmp_path)
    assert tree(tmp_path / "report_files" / "figures") == ["roc.png", "roc.svg"]


def voxels(source: str, shape) -> np.ndarray:
    """A volume out of the picture that `pack_volume` makes of it."""
    sheet = np.asarray(Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2]))).convert("L"))
    columns = sheet.shape[1] // shape[0]
    tiles = [
        sheet[n // columns * shape[1] :, n % columns * shape[0] :][: shape[1], : shape[0]].T for n in range(shape[2])
    ]
    return np.stack(tiles, axis=2)


def test_a_volume_comes_back_out_of_its_picture():
    mask = np.random.default_rng(0).random((7, 5, 11)) > 0.5
    assert (voxels(pack_volume(mask), mask.shape) > 127).tolist() == mask.tolist()
    i, j, k = np.indices((40, 32, 12))
    smooth = 20.0 + 2 * i + 3 * j + 5 * k
    assert np.abs(voxels(pack_volume(smooth, 90), smooth.shape) - smooth).max() < 8


def test_a_case_is_cut_to_its_box_and_starts_at_its_centre():
    scan, lesion = np.zeros((9, 8, 7), np.float32), np.zeros((9, 8, 7), bool)
    scan[2:8, 1:7, 2:6] = np.linspace(1, 2, 144).reshape(6, 6, 4)
    lesion[3:6, 4:7, 3:6] = True
    packed = pack_cases({"S1": Case({"t2": scan, "t1": scan}, lesion, np.zeros_like(lesion), (1, 2, 3), "S1")})
    shown = packed["cases"][0]
    assert (shown["start"], shown["shape"], shown["centre"]) == ([2, 1, 2], [6, 6, 4], [2, 4, 2])
    assert list(shown["images"]) == ["t1", "t2"] and shown["images"]["t1"][0] == "T1"
    assert shown["outlines"]["predicted"] is None
    assert (voxels(shown["outlines"]["reference"], (6, 6, 4)) > 127).tolist() == lesion[2:8, 1:7, 2:6].tolist()
    assert packed["size_mm"] == [12, 12] and packed["planes"]["sagittal"] == [1, 2, 0]
    assert packed["planes"]["axial"] == [0, 1, 2] and packed["planes"]["coronal"] == [0, 2, 1]
    assert packed["sides"] == {"axial": "RL", "coronal": "RL", "sagittal": "AP"}
    assert packed["outlines"]["reference"] == ["Reference", "#D55E00", pytest.approx(1.4 * 96 / 72)]
    assert packed["outlines"]["predicted"] == ["Network", "#56B4E9", pytest.approx(0.8 * 96 / 72)]
    assert json.loads(json.dumps(packed)) == packed


def test_each_subject_and_sequence_keeps_its_own_picture():
    i, _, k = np.indices((16, 16, 4))
    scans = {"t1": 1.0 + i, "flair": 1.0 + k}  # brightest at the patient's left; at the top
    upside = {"t1": 20.0 - i, "flair": 20.0 - k}
    packed = pack_cases({"a": Case(scans, None, None, (1, 1, 2), "A"), "b": Case(upside, None, None, (1, 1, 2), "B")})
    for shown, sign in zip(packed["cases"], (1, -1), strict=True):
        assert shown["spacing_mm"] == [1, 1, 2] and list(shown["images"]) == ["t1", "flair"]
        for axis, (name, picture) in ((0, shown["images"]["t1"]), (2, shown["images"]["flair"])):
            greys = voxels(picture, (16, 16, 4)).astype(float)
            assert sign * (np.take(greys, -1, axis).mean() - np.take(greys, 0, axis).mean()) > 200
            assert name == ("T1" if axis == 0 else "FLAIR")
    assert [(shown["name"], shown["title"]) for shown in packed["cases"]] == [("a", "A"), ("b", "B")]


def test_greys_run_from_the_1st_to_the_99th_5_percentile_outside_background():
    scan = np.zeros((11, 10, 10), np.float32)
    scan[1:] = np.arange(1000).reshape(10, 10, 10) + 1  # 1 ... 1000
    greys = viewer._greys(scan, ((0, 11), (0, 10), (0, 10)))
    low, high = 1 + 0.01 * 999, 1 + 0.995 * 999
    assert greys[6, 0, 0] == pytest.approx(255 * (501 - low) / (high - low), rel=1e-5)
    assert (greys.min(), greys.max()) == (0, 255)


def test_tissue_of_one_grey_is_white():
    scan = np.zeros((4, 4, 4), np.float32)
    scan[1:, 1:, 1:] = 7
    assert np.array_equal(viewer._greys(scan, ((0, 4),) * 3), np.where(scan > 0, 255, 0))


def test_too_fine_a_volume_is_made_coarser_along_its_finest_axes(monkeypatch):
    monkeypatch.setattr(viewer, "MOST_VOXELS", 30)
    scan = np.arange(1, 91, dtype=np.float32).reshape(6, 5, 3)
    lesion = np.zeros((6, 5, 3), bool)
    lesion[:4, 4] = True
    shown = pack_cases({"S1": Case({"t1": scan}, lesion, None, (1.0, 1.0, 3.0), "S1")})["cases"][0]
    assert (shown["step"], shown["shape"], shown["spacing_mm"]) == ([2, 2, 1], [3, 3, 3], [2, 2, 3])
    assert shown["centre"] == [0, 2, 1]  # of voxels (1, 4, 1) of the scan
    assert viewer._coarser(scan, [2, 2, 1])[0, 0, 0] == scan[:2, :2, 0].mean()
    assert voxels(shown["outlines"]["reference"], (3, 3, 3))[:, 2, 1].tolist() == [255, 255, 0]


def test_the_page_says_who_is_shown_coarser(tmp_path, monkeypatch):
    assert "coarser" not in read(write(tmp_path)).text("figcaption")
    monkeypatch.setattr(viewer, "MOST_VOXELS", 30)
    assert f"{HOSTILE} is shown at a lower resolution (2 x 1 x 1 voxels combined)." in read(write(tmp_path)).text(
        "figcaption"
    )


def test_more_voxels_are_kept_in_less_quality():
    assert [next(q for q, bits in viewer.BITS.items() if bits * n <= viewer.MOST_BITS) for n in (3e7, 6e7, 8e7)] == [
        90,
        60,
        40,
    ]


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours (WCAG 2.2)."""

    def luminance(colour):
        parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return np.dot(linear, [0.2126, 0.7152, 0.0722])

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_letters_stand_out_from_their_ground():
    css = (Path(page.__file__).parent / "templates" / "page.css").read_text()
    colours = {**dict(re.findall(r"--([\w-]+): (#\w{6});", css)), "white": "#ffffff"}
    pairs = [("ink", "white"), ("ink", "ground"), ("quiet", "white"), ("link", "white"), ("warn", "warn-ground")]
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert all(contrast(colours[one], colours[other]) > 4.5 for one, other in pairs)
