"""The folder: the same bytes however it came about."""

import os
import signal
import subprocess
import sys

import numpy as np
import pandas
import pytest

from glioma_idh.errors import InputError
from glioma_idh.imaging.volumes import read_volume
from glioma_idh.phantom import SEQUENCES, make_phantom
from glioma_idh.phantom.anatomy import draw_anatomy, load_atlas, make_anatomy
from glioma_idh.phantom.fields import make_grid
from glioma_idh.phantom.folder import cohort_table
from glioma_idh.phantom.lesions import draw_lesion, make_lesion
from glioma_idh.phantom.recipe import PhantomRecipe, draw_truth, random_stream
from glioma_idh.phantom.signal import draw_signal, make_image

COLUMNS = (
    "subject,patient,cohort,site,idh,idh_evidence,grade,age_years,sex,t1,t1gd,t2,flair,rcbv,adc,lesion_mask,brain_mask"
)
COMMAND = """import numpy
from glioma_idh.phantom import anatomy, make_phantom
anatomy.load_atlas = lambda _: tuple(numpy.load({atlas!r}).values())  # to make it again takes seconds
make_phantom({folder!r}, {sequences!r}, {num_subjects}, num_mutant=2, seed=0, spacing_mm=6, jobs=1, quiet=True)"""


KILL = """import os, signal
replace, files = os.replace, []
def replace_twelve(part, path):
    files.append(path)
    os.kill(os.getpid(), signal.SIGKILL) if len(files) == 13 else replace(part, path)
os.replace = replace_twelve
"""


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    """A function that starts a process of its own, which makes a phantom."""
    atlas = tmp_path_factory.mktemp("atlas") / "atlas.npz"
    np.savez(atlas, *load_atlas(6))

    def start_process(folder, sequences, before=""):
        command = before + COMMAND.format(atlas=str(atlas), folder=str(folder), sequences=sequences, num_subjects=6)
        return subprocess.Popen([sys.executable, "-c", command])

    return start_process


def test_the_cohort_table_reads_like_any_other(small_phantom):
    table = pandas.read_csv(small_phantom / "cohort.csv", dtype=str, keep_default_na=False)
    assert ",".join(table.columns) == COLUMNS
    assert table["subject"].tolist() == table["patient"].tolist() == [f"phantom-00{n}" for n in range(1, 7)]
    assert sorted(table["idh"]) == ["0"] * 4 + ["1"] * 2
    assert set(table["cohort"]) == {"phantom"} and set(table["site"]) == {"phantom"}
    for column in (*SEQUENCES, "lesion_mask", "brain_mask"):
        assert table[column].tolist() == [f"{subject}/{column}.nii.gz" for subject in table["subject"]]
    assert set(table["idh_evidence"]) == {"planted"}
    truth = pandas.read_csv(small_phantom / "truth.csv", dtype=str)
    assert truth[["subject", "idh"]].equals(table[["subject", "idh"]])


def test_all_files_of_a_subject_share_a_grid_and_masks_are_0_and_1(small_phantom):
    row = pandas.read_csv(small_phantom / "cohort.csv").iloc[0]
    volumes = {name: read_volume(small_phantom / row[name]) for name in (*SEQUENCES, "lesion_mask", "brain_mask")}
    assert {volume.array.shape for volume in volumes.values()} == {(29, 36, 29)}
    assert all(np.allclose(volume.spacing_mm, 6) for volume in volumes.values())
    for name in ("lesion_mask", "brain_mask"):
        assert set(np.unique(volumes[name].array)) == {0, 1}
    assert not (volumes["lesion_mask"].array > volumes["brain_mask"].array).any()


def test_each_file_is_the_image_of_its_subject_sequence_and_latent(small_phantom):
    """Subject 4 of 6, made here from the recipe: its own brain, lesion, latents and random numbers."""
    recipe, index, grid = PhantomRecipe(6, 2, 0, 6.0), 3, make_grid(6.0)
    truth = draw_truth(recipe)
    written = pandas.read_csv(small_phantom / "truth.csv")
    pandas.testing.assert_frame_equal(written, truth)
    anatomy = make_anatomy(draw_anatomy(random_stream(recipe, index, "anatomy")), grid)
    lesion = make_lesion(draw_lesion(random_stream(recipe, index, "lesion")), anatomy)
    images = {"lesion_mask": lesion.mask, "brain_mask": anatomy.brain}
    for name in SEQUENCES:
        draw = draw_signal(random_stream(recipe, index, name), grid)
        images[name] = make_image(name, anatomy, lesion, truth.loc[index, f"z_{name}"], draw)
    for name, image in images.items():
        volume = read_volume(small_phantom / f"phantom-004/{name}.nii.gz")
        assert np.array_equal(volume.array, image.astype(np.float32)) and np.allclose(volume.affine, grid.affine), name


def test_age_and_sex_are_those_of_adults_and_drawn_without_a_look_at_the_label(tmp_path):
    recipes = [PhantomRecipe(num_subjects=400, num_mutant=n) for n in (0, 400)]
    tables = [cohort_table(tmp_path, recipe, draw_truth(recipe)) for recipe in recipes]
    assert tables[0].drop(columns="idh").equals(tables[1].drop(columns="idh"))
    ages = tables[0]["age_years"]
    assert ages.between(20, 88).all() and ages.nunique() > 30
    assert ages.mean() == pytest.approx(58, abs=2) and ages.std() == pytest.approx(12, abs=1.5)
    assert (tables[0]["sex"] == "F").mean() == pytest.approx(0.5, abs=0.08)
    assert set(tables[0]["grade"]) == {4} and (tables[0]["t1"] == "").all()


def test_made_again_every_byte_is_the_same(small_phantom, tmp_path, make, contents):
    make(tmp_path / "again")
    assert contents(tmp_path / "again") == contents(small_phantom)


@pytest.mark.integration
def test_asked_for_in_steps_and_in_parallel_every_byte_is_the_same(small_phantom, tmp_path, make, contents):
    make(tmp_path / "steps", sequences=["adc", "t2"])
    table = pandas.read_csv(tmp_path / "steps" / "cohort.csv", keep_default_na=False)
    assert set(table["rcbv"]) == {""}
    assert table["adc"][0] == "phantom-001/adc.nii.gz"
    assert not (tmp_path / "steps" / "phantom-001" / "rcbv.nii.gz").exists()
    make(tmp_path / "steps", sequences="rcbv", jobs=2)
    make(tmp_path / "steps", sequences=["flair", "t1gd", "t1"])
    assert contents(tmp_path / "steps") == contents(small_phantom)


def test_what_is_there_is_not_made_again(small_phantom, make):
    before = {path: path.stat().st_mtime_ns for path in small_phantom.rglob("*")}
    make(small_phantom)
    assert {path: path.stat().st_mtime_ns for path in small_phantom.rglob("*")} == before


@pytest.mark.integration
def test_killed_half_way_and_completed_every_byte_is_the_same(small_phantom, tmp_path, start, make, contents):
    """Killed as the 13th file, a scan of the second subject, is to take its place."""
    process = start(tmp_path / "killed", list(SEQUENCES), before=KILL)
    assert process.wait() == -signal.SIGKILL
    scans = {path.relative_to(tmp_path / "killed").as_posix() for path in tmp_path.rglob("*.nii.gz")}
    (part,) = {scan for scan in scans if "/part-" in scan}
    assert 0 < len(scans - {part}) < 48 and not (tmp_path / "killed/cohort.csv").exists()
    make(tmp_path / "killed")
    assert contents(tmp_path / "killed") == contents(small_phantom)


@pytest.mark.integration
def test_two_processes_at_once_do_no_harm(small_phantom, tmp_path, start, contents):
    both = [
        start(tmp_path / "both", sequences) for sequences in (["t1", "t1gd", "t2", "rcbv"], ["flair", "adc", "rcbv"])
    ]
    assert [process.wait() for process in both] == [0, 0]
    assert contents(tmp_path / "both") == contents(small_phantom)


def test_idh_reaches_the_images_through_the_latents_alone(tmp_path, make):
    """Where d is 0 an all-mutant cohort is the all-wild-type one: ADC and the masks byte for byte; rCBV is not."""
    for num_mutant in (0, 2):
        options = {"num_subjects": 2, "num_mutant": num_mutant, "sequences": ["adc", "rcbv"]}
        make(tmp_path / str(num_mutant), **options)
    for name in ("adc", "lesion_mask", "brain_mask", "rcbv"):
        wild, mutant = ((tmp_path / n / "phantom-001" / f"{name}.nii.gz").read_bytes() for n in ("0", "2"))
        assert (wild == mutant) == (name != "rcbv"), name
    tables = [pandas.read_csv(tmp_path / n / "cohort.csv").drop(columns="idh") for n in ("0", "2")]
    assert tables[0].equals(tables[1])


def test_a_folder_of_other_parameters_is_an_error(small_phantom, make):
    with pytest.raises(InputError, match=r'"seed": 1.*found .*"seed": 0'):
        make(small_phantom, seed=1)


def test_a_folder_of_other_tables_is_an_error(tmp_path, make):
    (tmp_path / "cohort.csv").write_text("subject\n")
    with pytest.raises(InputError, match="CSV files of another program"):
        make(tmp_path)
    assert os.listdir(tmp_path) == ["cohort.csv"]


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path, make):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="GLIOMA_IDH_CACHE"):
        make(tmp_path / "file" / "phantom")


def test_the_cache_folder_is_named_after_the_parameters(tmp_path, monkeypatch):
    monkeypatch.setenv("GLIOMA_IDH_CACHE", str(tmp_path))
    small = {"sequences": ["t1"], "num_subjects": 1, "num_mutant": 0, "spacing_mm": 6, "jobs": 1, "quiet": True}
    first, second = make_phantom(**small), make_phantom(**small | {"seed": 1})
    assert first.parent.parent == second.parent.parent == tmp_path
    assert first.parent.name.startswith("phantom-")
    assert first != second


@pytest.mark.integration
def test_importing_the_phantom_imports_nothing_heavy():
    code = "import sys, glioma_idh.phantom; print(*sys.modules)"
    imported = subprocess.check_output([sys.executable, "-c", code], text=True).split()
    assert "glioma_idh.phantom" in imported
    assert not {"nilearn", "pandas", "scipy", "joblib", "nibabel"} & set(imported)
