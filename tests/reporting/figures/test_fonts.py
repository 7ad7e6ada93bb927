import warnings
from pathlib import Path

import matplotlib
import pytest
from matplotlib import font_manager

from glioma_idh.reporting.figures.canvas import fonts_for, new_figure, save_figure, save_png

BUNDLED = Path(matplotlib.get_data_path(), "fonts", "ttf")
RARE = "Ⓐ"  # in STIXGeneral, not in DejaVu Sans


@pytest.fixture
def installed(monkeypatch, tmp_path):
    """Four font files on the computer: broken, of boxes, without the letter, and with it."""
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    names = "LastResortHE-Regular.ttf", "DejaVuSans.ttf", "STIXGeneral.ttf"
    files = [str(tmp_path / "broken.ttf"), *(str(BUNDLED / name) for name in names if (BUNDLED / name).exists())]
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: sorted(files))
    fonts_for.cache_clear()
    yield
    fonts_for.cache_clear()


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("letters", "families"), [("Subject ü Ж λ 7\n", ()), ("a" + RARE, ("STIXGeneral",)), ("\U0010fffd", ())]
)
def test_fonts_are_looked_for_where_the_usual_one_lacks_a_letter(letters, families):
    assert fonts_for(frozenset(letters)) == families


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(("letters", "complete"), [(RARE, True), ("\U0010fffd", False)])
def test_every_saved_picture_has_its_letters(tmp_path, letters, complete):
    for save, path in ((save_figure, (tmp_path, "x")), (save_png, (tmp_path / "x.png",))):
        figure = new_figure(2, 1, synthetic=False)
        figure.suptitle(f"Subject {letters}", fontweight="bold")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            save(figure, *path)
        assert complete == (not [each for each in caught if "missing from font" in str(each.message)])
