"""The folder: the same bytes however it came about."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas
import pytest

from glioma_idh.errors import InputError
from glioma_idh.imaging.volumes import read_volume
from glioma_idh.phantom import SEQUENCES, make_phantom

COLUMNS = (
    "subject,patient,cohort,site,idh,idh_evidence,grade,age_years,sex,t1,t1gd,t2,flair,rcbv,adc,lesion_mask,brain_mask"
)
COMMAND = """from glioma_idh.phantom import make_phantom
make_phantom({folder!r}, {sequences!r}, {num_subjects}, num_mutant=2, seed=0, spacing_mm=6, jobs=1, quiet=True)"""


def start(folder, sequences, num_subjects=6):
    """A process of its own that makes a phantom."""
    command = COMMAND.format(folder=str(folder), sequences=sequences, num_subjects=num_subjects)
    return subprocess.Popen([sys.executable, "-c", command])


def test_the_cohort_table_reads_like_any_other(small_phantom):
    table = pandas.read_csv(small_phantom / "cohort.csv", dtype=str, keep_default_na=False)
    assert ",".join(table.columns) == COLUMNS
    assert table["subject"].tolist() == table["patient"].tolist() == [f"phantom-00{n}" for n in range(1, 7)]
    assert sorted(table["idh"]) == ["0"] * 4 + ["1"] * 2
    assert set(table["cohort"]) == {"phantom"}
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


def test_made_again_every_byte_is_the_same(small_phantom, tmp_path, make, contents):
    make(tmp_path / "again")
    assert contents(tmp_path / "again") == contents(small_phantom)


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


def test_killed_half_way_and_completed_every_byte_is_the_same(tmp_path, make, contents):
    process = start(tmp_path / "killed", ["t1"], num_subjects=40)
    limit = time.time() + 60
    while len(list(tmp_path.glob("killed/*/t1.nii.gz"))) < 3 and time.time() < limit:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert 3 <= len(list(tmp_path.glob("killed/*/t1.nii.gz"))) < 40
    for name in ("killed", "undisturbed"):
        make(tmp_path / name, sequences=["t1"], num_subjects=40)
    assert contents(tmp_path / "killed") == contents(tmp_path / "undisturbed")


def test_two_processes_at_once_do_no_harm(small_phantom, tmp_path, contents):
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
    with pytest.raises(InputError, match="no phantom made"):
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


def test_importing_the_phantom_imports_nothing_heavy():
    code = "import sys, glioma_idh.phantom; print(*sys.modules)"
    imported = subprocess.check_output([sys.executable, "-c", code], text=True).split()
    assert "glioma_idh.phantom" in imported
    assert not {"nilearn", "pandas", "scipy", "joblib", "nibabel"} & set(imported)
