"""A page as a reader has it before them: in Chromium, from a file, on a laptop and on a phone."""

import base64
import contextlib
import io
import re
import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from glioma_idh.reporting.figures.canvas import new_figure
from glioma_idh.reporting.figures.cases import Case
from glioma_idh.reporting.html import Listing, Paragraph, Picture, Section, Sheet, Viewer, write_page

pytestmark = pytest.mark.integration

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 120_000
SIZES = {"laptop": (1366, 768), "phone": (360, 740)}
HOSTILE = """</script><b onclick="alert(1)">'S1'</b> 患者"""
COMMAND = "python -m glioma_idh.sgp3d.train --run-dir 'my runs/<1>' --seed 0 &&\n  echo \"done\""
SHAPE, SPACING_MM = (20, 30, 10), (1.0, 1.0, 2.0)
CANVAS_MM = (30, 30)  # the widest and the highest of its slices
ORANGE, BLUE = (0xD5, 0x5E, 0x00), (0x56, 0xB4, 0xE9)
PICTURE = "document.querySelector('canvas').toDataURL()"
NOT_BLANK = """() => { const canvas = document.querySelector("canvas");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return data.some((value, n) => n % 4 < 3 && value > 0); }"""

MOVED = """() => new Promise(done => {
        new PerformanceObserver(list => done(list.getEntries().reduce((sum, shift) => sum + shift.value, 0)))
            .observe({type: "layout-shift", buffered: true});
        setTimeout(() => done(0), 300); })"""


def block(*sides) -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    mask[tuple(slice(*side) for side in sides)] = True
    return mask


def cases() -> dict[str, Case]:
    """A head whose right, front and top eighth is bright in FLAIR and dark in T1; a slice; one without a lesion."""
    flair = np.where(block((10, 20), (15, 30), (5, 10)), 200, 50) + np.linspace(0, 1, np.prod(SHAPE)).reshape(SHAPE)
    reference, predicted = block((12, 17), (20, 27), (2, 8)), block((3, 6), (3, 6), (4, 7))
    head = Case({"t1": 250 - flair, "flair": flair}, reference, predicted, SPACING_MM, f"{HOSTILE}: lesion 42 ml")
    flat = Case({"rcbv": flair[:, :, 6:7]}, None, np.zeros((20, 30, 1), bool), SPACING_MM, "S2")
    return {f"Best: {HOSTILE}": head, "A slice": flat}


def sections() -> list[Section]:
    curve = new_figure(7.2, 3, synthetic=True)
    curve.add_subplot().plot([0, 1], [0, 1])
    picture = new_figure(3, 2, synthetic=True)
    picture.add_subplot().imshow(np.random.default_rng(0).random((200, 200)))
    wide = pd.DataFrame({f"score {n}": ["0.91 (0.84 to 0.96)"] * 60 for n in range(12)})
    wide.insert(0, "subject", [f"BraTS20_Training_{n}" for n in range(60)])
    text = "Scores are probabilities of mutation. " * 30
    return [
        Section(HOSTILE, [Paragraph(text), Picture("curve", curve, HOSTILE, HOSTILE), Sheet("wide", wide, HOSTILE)]),
        Section("Lesions", [Viewer(cases()), Picture(HOSTILE, picture, "Noise.", "Noise")]),
        Section("Again", [Listing(COMMAND)]),
    ]


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> str:
    """Of a page with all that there can be on one."""
    folder = tmp_path_factory.mktemp("a folder")
    return write_page(folder / "report 患者.html", HOSTILE, HOSTILE, sections(), synthetic=True).as_uri()


@pytest.fixture(scope="module")
def browser():
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip("no Chromium or Chrome is installed")
    drive = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    with drive.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=program, args=FLAGS, timeout=PATIENCE_MS)
        yield started
        started.close()


@pytest.fixture
def open_page(browser, address):
    """A function that opens the page in a window of its own and keeps what it asks for and complains of."""
    with opener(browser, address) as open_one:
        yield open_one


@pytest.fixture(scope="module")
def pages(browser, address):
    """The page on a laptop and on a phone, for tests that leave it as it is but for the buttons pressed."""
    with opener(browser, address) as open_one:
        opened = {size: open_one(size) for size in SIZES}
        for page in opened.values():
            page.moved = page.evaluate(MOVED)
        yield opened


@contextlib.contextmanager
def opener(browser, address):
    """A function that opens the page; all its windows are closed at the end."""
    windows = []

    def open_one(size="laptop", **settings):
        width, height = SIZES[size]
        windows.append(browser.new_context(viewport={"width": width, "height": height}, **settings))
        windows[-1].set_default_timeout(PATIENCE_MS)
        page = windows[-1].new_page()
        page.asked, page.complaints = [], []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("console", lambda message: page.complaints.append(message.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.goto(address)
        if settings.get("java_script_enabled", True):
            wait_until(page, NOT_BLANK)
        return page

    yield open_one
    for window in windows:
        window.close()


def wait_until(page, condition: str, given=None) -> None:
    """Wait for a condition of the page; Playwright's own way of waiting needs an `eval` that the page forbids."""
    for _ in range(PATIENCE_MS // 50):
        if page.evaluate(condition, given):
            return
        page.wait_for_timeout(50)
    raise TimeoutError(condition)


def pixels(page) -> np.ndarray:
    """What the viewer shows, shape (rows, columns, 3)."""
    png = base64.b64decode(page.evaluate(PICTURE).partition(",")[2])
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def quarters(page) -> list[list[bool]]:
    """Which quarters of the picture are bright in their middle: upper left and right, lower left and right."""
    image = pixels(page)[:, :, 0]
    rows, columns = ([round(n * part) for part in (0.4, 0.6)] for n in image.shape)
    return [[bool(image[row, column] > 128) for column in columns] for row in rows]


def outline_mm(page, colour) -> list[float]:
    """Left, top, right and bottom end of an outline's colour, from the middle of the picture."""
    image = pixels(page)
    rows, columns = np.nonzero(np.abs(image - colour).max(axis=2) < 40)
    scale = 0.98 * min(image.shape[1] / CANVAS_MM[0], image.shape[0] / CANVAS_MM[1])
    middle = np.array(image.shape[1::-1]) / 2
    ends = np.array([[columns.min(), rows.min()], [columns.max() + 1, rows.max() + 1]])
    return ((ends - middle) / scale).ravel().tolist()


def test_it_asks_for_nothing_and_complains_of_nothing(pages, address):
    for page in pages.values():
        for name in ("T1", "Coronal", "Copy"):
            page.get_by_role("button", name=name, exact=True).click()
        assert page.asked == [address] and page.complaints == []


@pytest.mark.parametrize("size", SIZES)
def test_every_figure_is_seen_and_the_page_is_as_wide_as_the_screen(pages, size):
    page = pages[size]
    seen = page.eval_on_selector_all(
        "img", "images => images.map(i => [i.complete, i.naturalWidth, i.clientWidth, i.checkVisibility(), i.alt])"
    )
    assert len(seen) == 2 and all(
        done and wide > 0 and shown > 100 and visible for done, wide, shown, visible, _ in seen
    )
    assert [alt for *_, alt in seen] == [HOSTILE, "Noise"]
    assert page.evaluate("document.documentElement.scrollWidth") == SIZES[size][0]
    assert page.evaluate('() => { scrollTo({ left: 500, behavior: "instant" }); return scrollX; }') == 0
    table = page.locator("table")
    assert table.bounding_box()["width"] > SIZES[size][0] * 0.9
    before = table.locator("tbody th").first.bounding_box()["x"]
    page.locator(".sheet .scroll").evaluate("frame => (frame.scrollLeft = 200)")
    assert table.locator("tbody th").first.bounding_box()["x"] == before  # its ids stay
    assert table.locator("tbody td").first.bounding_box()["x"] < before + 200
    assert page.locator(".sheet .scroll").get_attribute("tabindex") == "0"


@pytest.mark.parametrize("size", SIZES)
def test_nothing_moves_while_it_is_loaded(pages, size):
    assert pages[size].moved == 0


def test_the_contents_stay_beside_the_text_or_fold(open_page):
    laptop = open_page()
    link = laptop.get_by_role("link", name="Again", exact=True)
    link.click()
    wait_until(laptop, "document.querySelector('nav a[aria-current]')?.textContent === 'Again'")
    assert 0 <= link.bounding_box()["y"] < SIZES["laptop"][1] and "#section-3" in laptop.url
    phone = open_page("phone")
    link = phone.get_by_role("link", name="Again", exact=True)
    assert not link.is_visible()
    phone.locator("summary").click()
    link.click()
    assert not link.is_visible() and "#section-3" in phone.url


def test_slices_are_shown_as_a_radiologist_looks_at_them(open_page):
    page = open_page()
    outlines = page.get_by_role("checkbox")
    for box in outlines.all():
        box.uncheck()
    slider = page.get_by_role("slider", include_hidden=True)
    slider.fill("6")
    assert page.locator("output").inner_text() == "Axial, k = 6"
    assert quarters(page) == [[True, False], [False, False]]  # right and front
    page.get_by_role("button", name="Coronal").click()
    slider.fill("20")
    assert page.locator("output").inner_text() == "Coronal, j = 20"
    assert quarters(page) == [[True, False], [False, False]]  # right and top
    page.get_by_role("button", name="Sagittal").click()
    slider.fill("12")
    assert quarters(page) == [[True, False], [False, False]]  # front and top
    slider.fill("9")
    assert quarters(page) == [[False, False], [False, False]]
    slider.fill("12")
    before = page.evaluate(PICTURE)
    page.get_by_role("button", name="T1", exact=True).click()
    wait_until(page, f"before => {PICTURE} !== before", before)
    assert quarters(page) == [[False, True], [True, True]]
    assert page.get_by_role("button", name="T1", exact=True).get_attribute("aria-pressed") == "true"


def test_outlines_run_round_the_lesions_and_can_be_hidden(open_page):
    page = open_page()
    assert page.locator("output").inner_text() == "Axial, k = 4"  # the reference's centre
    expected = [20 / 2 - 17, 30 / 2 - 27, 20 / 2 - 12, 30 / 2 - 20]
    assert outline_mm(page, ORANGE) == pytest.approx(expected, abs=0.2)
    expected = [20 / 2 - 6, 30 / 2 - 6, 20 / 2 - 3, 30 / 2 - 3]
    assert outline_mm(page, BLUE) == pytest.approx(expected, abs=0.2)
    page.get_by_role("button", name="Coronal").click()
    expected = [20 / 2 - 17, 20 / 2 - 16, 20 / 2 - 12, 20 / 2 - 4]  # 2 mm a slice
    assert outline_mm(page, ORANGE) == pytest.approx(expected, abs=0.2)
    page.get_by_label("Reference").uncheck()
    assert not (np.abs(pixels(page) - ORANGE).max(axis=2) < 40).any()


def test_slices_go_by_with_keys_and_with_the_wheel_once_the_picture_is_chosen(open_page):
    page, place = open_page(), lambda: page.locator("output").inner_text()
    canvas = page.locator("canvas")
    canvas.hover()
    page.mouse.wheel(0, 50)
    wait_until(page, "scrollY > 0")
    assert place() == "Axial, k = 4"  # the page was scrolled instead
    canvas.click()
    for key, expected in (("ArrowUp", 5), ("PageUp", 9), ("ArrowRight", 9), ("ArrowDown", 8), ("Home", 0), ("End", 9)):
        page.keyboard.press(key)
        assert place() == f"Axial, k = {expected}"
    page.mouse.wheel(0, 100)
    wait_until(page, "document.querySelector('output').textContent === 'Axial, k = 8'")
    assert page.get_by_role("slider", include_hidden=True).get_attribute("aria-valuetext") == "Axial, k = 8"


def test_another_subject_and_one_of_a_single_slice(open_page):
    page = open_page()
    assert page.locator(".headline").inner_text() == f"{HOSTILE}: lesion 42\N{NO-BREAK SPACE}ml"
    assert page.get_by_label("Subject").locator("option").all_inner_texts() == [f"Best: {HOSTILE}", "A slice"]
    page.get_by_label("Subject").select_option("A slice")
    assert page.locator(".headline").inner_text() == "S2"
    assert (
        not page.get_by_role("slider", include_hidden=True).is_visible()
        and not page.get_by_role("button", name="Axial").is_visible()
    )
    assert page.get_by_role("group", name="Outlines").inner_text() == "Network: no lesion found"
    wait_until(page, NOT_BLANK)
    assert quarters(page) == [[True, False], [False, False]]
    page.get_by_label("Subject").select_option(f"Best: {HOSTILE}")
    assert (
        page.locator("output").inner_text() == "Axial, k = 4"
        and page.get_by_role("slider", include_hidden=True).is_visible()
    )


@pytest.mark.parametrize("clipboard", ["open", "closed"])
def test_code_is_copied_as_it_is(open_page, clipboard):
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    if clipboard == "closed":
        page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(); }")
    page.evaluate("document.body.append(document.createElement('textarea'))")
    page.get_by_role("button", name="Copy").click()
    wait_until(page, "document.querySelector('.copy').textContent === 'Copied'")
    page.locator("textarea").focus()
    page.keyboard.press("Control+V")
    assert page.locator("textarea").input_value() == COMMAND


def test_without_scripts_all_but_the_viewer_is_there(open_page):
    page = open_page(java_script_enabled=False)
    assert "needs JavaScript" in page.locator(".viewer").inner_text()
    assert not page.locator("canvas").is_visible() and page.locator("img").first.is_visible()


def test_it_prints_on_pages_of_its_own_look(open_page):
    page = open_page()
    page.emulate_media(media="print")
    gone = page.locator("nav, button, select, input, .skip")
    assert gone.count() > 5 and not any(element.is_visible() for element in gone.all())
    assert page.locator("canvas").is_visible()
    style = "(element, name) => getComputedStyle(element)[name]"
    assert page.locator("thead").evaluate(style, "display") == "table-header-group"
    for part in ("tbody tr", ".picture", ".viewer"):
        assert page.locator(part).first.evaluate(style, "breakInside") == "avoid"
    assert len(re.findall(rb"/Type\s*/Page\b", page.pdf(prefer_css_page_size=True))) > 1
