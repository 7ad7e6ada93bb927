"""Files appear whole or not at all, and a folder holds one run."""

import errno
import json
import os
import pickle
import platform
import re
import subprocess
import sys

import pandas as pd
import pytest

from glioma_idh import runs
from glioma_idh.errors import InputError
from glioma_idh.files import write_json, write_table, written_whole

RECIPE = {"paper": "gbm2d", "epochs": 5, "sequence": ("t2",)}


def test_scores_come_back_to_the_last_bit_of_float32(tmp_path):
    import numpy as np

    scores = np.random.default_rng(0).random(1000, dtype=np.float32)
    write_table(pd.DataFrame({"subject": [f"{i:04}" for i in range(1000)], "score": scores}), tmp_path / "p.csv")
    back = runs.read_table(tmp_path / "p.csv")
    assert (back["score"].to_numpy(np.float32) == scores).all()
    assert back["subject"].iloc[7] == "0007"


def test_a_failed_write_leaves_the_former_file_whole(tmp_path):
    path = tmp_path / "checkpoint"
    path.write_text("former")
    with pytest.raises(InputError, match="No space left on device. Free some space"), written_whole(path) as part:
        part.write_text("half of the ne")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert path.read_text() == "former" and os.listdir(tmp_path) == ["checkpoint"]


def test_the_same_recipe_goes_on_and_another_is_an_error(tmp_path):
    folder = tmp_path / "run"
    assert runs.find_run(folder, RECIPE) is False and not folder.exists()
    assert runs.find_run(folder, RECIPE | {"epochs": 9}) is False  # nothing has begun
    runs.begin_run(folder, RECIPE, published={})
    assert runs.find_run(folder, RECIPE) is False
    with pytest.raises(
        InputError,
        match=r"run: expected a run with epochs 6; found one with epochs 5. The folder holds a run with other settings",
    ):
        runs.find_run(folder, RECIPE | {"epochs": 6})
    write_json({"auc": float("nan")}, folder / "metrics.json")
    assert json.loads((folder / "metrics.json").read_text()) == {"auc": None}
    assert runs.find_run(folder, RECIPE) is True
    with pytest.raises(InputError, match="expected a run with epochs 6; found one with epochs 5"):
        runs.find_run(folder, RECIPE | {"epochs": 6})
    recipe = json.loads((folder / "recipe.json").read_text())
    assert recipe["hash"] == runs.recipe_hash(recipe["recipe"]) and "keras" in recipe["versions"]


def test_a_run_of_the_former_counting_is_refused(tmp_path):
    runs.begin_run(tmp_path, RECIPE, {})
    assert runs.read_recipe(tmp_path)["recipe"] == runs.as_read(RECIPE)
    content = runs.read_json(tmp_path / "recipe.json")
    for found, other in (
        ({}, "format 1, trained by an earlier version"),
        ({"format": 9}, "format 9, trained by another"),
    ):
        write_json(
            {name: value for name, value in content.items() if name != "format"} | found, tmp_path / "recipe.json"
        )
        for read in (runs.read_recipe, lambda folder: runs.find_run(folder, RECIPE)):
            with pytest.raises(InputError, match=f"expected a run in format 2; found {other}.*train again"):
                read(tmp_path)
    write_json({"hash": 1}, tmp_path / "recipe.json")
    with pytest.raises(InputError, match="expected the recipe of a run; found other content"):
        runs.read_recipe(tmp_path)


def test_looking_for_a_run_leaves_no_folder(tmp_path):
    assert runs.find_run(tmp_path / "runs/a/t2", RECIPE) is False
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "runs").mkdir()
    assert runs.find_run(tmp_path / "runs/a/t2", RECIPE) is False
    assert [path.name for path in tmp_path.rglob("*")] == ["runs"]


@pytest.mark.parametrize(
    ("cohort", "name"),
    [
        ("upenn-gbm", "upenn-gbm"),
        ("/there/my_study/cohort.csv", "my_study"),
        ("/there/my_study/Cohort.XLSX", "my_study"),
        ("/there/my_study/adults.csv", "adults"),
        ("cohort.csv", "cohort"),
    ],
)
def test_a_cohort_is_called_by_its_file_or_of_one_called_cohort_by_its_folder(cohort, name):
    assert runs.cohort_name(cohort) == name


def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path):
    (tmp_path / "thesis.docx").touch()
    with pytest.raises(InputError, match="expected an empty or new folder, or a run; found thesis.docx"):
        runs.find_run(tmp_path, RECIPE)


def test_a_folder_that_cannot_be_made_says_why(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="expected to write this file; found Not a directory"):
        runs.find_run(tmp_path / "file" / "run", RECIPE)


def test_a_folder_without_a_run_says_what_is_wanted(tmp_path):
    with pytest.raises(InputError, match=r"expected the folder of one run; found a folder without recipe.json"):
        runs.read_json(tmp_path / "recipe.json")
    (tmp_path / "recipe.json").write_text("{")
    with pytest.raises(InputError, match=r"metrics.json: expected a JSON file of a run; found no such file. The run"):
        runs.read_json(tmp_path / "metrics.json")
    with pytest.raises(InputError, match=r"recipe.json: expected a JSON file of a run; found unreadable content"):
        runs.read_json(tmp_path / "recipe.json")


def test_what_a_killed_process_left_of_a_file_goes_and_what_a_living_one_writes_stays(tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    left, being_written = (tmp_path / f"part-{platform.node()}-{pid}-table.csv" for pid in (dead.pid, os.getppid()))
    elsewhere = tmp_path / f"part-another-host-{dead.pid}-table.csv"
    for part in (left, being_written, elsewhere):
        part.touch()
    write_table(pd.DataFrame({"a": [1]}), tmp_path / "table.csv")
    assert {path.name for path in tmp_path.iterdir()} == {"table.csv", being_written.name, elsewhere.name}


def test_older_runs_lack_younger_settings_and_go_on(tmp_path):
    runs.begin_run(tmp_path, RECIPE, published={"auc": 0.86})
    assert runs.find_run(tmp_path, RECIPE | {"youngest": 1}, defaults={"youngest": 1}) is False
    with pytest.raises(InputError, match="expected a run with youngest 2; found one with youngest 1"):
        runs.find_run(tmp_path, RECIPE | {"youngest": 2}, defaults={"youngest": 1})
    assert runs.find_run(tmp_path, RECIPE, defaults={"epochs": 9}) is False  # what it says itself stands above them
    with pytest.raises(InputError, match="expected a run with epochs None; found one with epochs 5"):
        runs.find_run(tmp_path, {name: value for name, value in RECIPE.items() if name != "epochs"})
    assert runs.read_json(tmp_path / "recipe.json")["published"] == {"auc": 0.86}


def test_what_is_no_run_is_said_with_the_runs_above_in_and_beside_it(tmp_path):
    for name in ("a", "b", "several/t1", "several/t2", "c"):
        runs.begin_run(tmp_path / "runs" / name, RECIPE, {})
    (tmp_path / "runs/a/split_1").mkdir()
    (tmp_path / "runs/table1-1234").mkdir()
    (tmp_path / "file.csv").touch()
    base = re.escape(str(tmp_path / "runs"))
    for path, found in {
        "runs/a/split_1": rf"a folder inside the run a. Choose {base}/a\.$",
        "runs/a/recipe.json": rf"a path inside the run a. Choose {base}/a\.$",
        "runs/several": rf"a folder with 2 runs in it. Choose {base}/several/t1 or {base}/several/t2\.$",
        "runs": rf"a folder with 5 runs in it. Choose {base}/a or {base}/b or {base}/c or .*t1 ... \(5 runs\)\.$",
        "runs/table1-1234": rf"a folder without recipe.json. Choose {base}/a or .* ... \(5 runs\)\.$",
        "runs/d": rf"no such folder. Choose {base}/a or .* ... \(5 runs\)\.$",
        "file.csv": rf"a file. Choose {base}/a or {base}/b or {base}/c\.$",
        "x/y/z": rf"no such folder. Choose {base}/a or {base}/b or {base}/c\.$",
    }.items():
        with pytest.raises(InputError, match=f"expected the folder of one run; found {found}"):
            runs.read_recipe(tmp_path / path)
    (tmp_path / "empty/one").mkdir(parents=True)
    with pytest.raises(
        InputError, match="found a folder without recipe.json. Choose a folder made by a training command"
    ):
        runs.read_recipe(tmp_path / "empty/one")


def test_a_table_of_a_run_that_is_gone_is_named(tmp_path):
    with pytest.raises(InputError, match=r"splits.csv: expected a table of a run; found no such file"):
        runs.read_table(tmp_path / "splits.csv")


def test_a_folder_that_exists_and_is_empty_stays_as_it_was(tmp_path):
    (tmp_path / "part-host-1-recipe.json").touch()
    assert runs.find_run(tmp_path, RECIPE) is False
    assert [path.name for path in tmp_path.iterdir()] == ["part-host-1-recipe.json"]


def test_ids_keep_their_zeros_and_empty_cells_are_empty_texts_or_unknown_numbers(tmp_path):
    text = "subject,patient,site,brain_mask,file,idh,age\n007,08,1,,,1,\n008,09,2,,,,3.5\n"
    (tmp_path / "t.csv").write_text(text)
    table = runs.read_table(tmp_path / "t.csv")
    assert table["subject"].tolist() == ["007", "008"] and table["patient"].tolist() == ["08", "09"]
    assert table["site"].tolist() == ["1", "2"] and table["brain_mask"].tolist() == ["", ""]
    assert table["idh"].isna().tolist() == [False, True] and table["age"].iloc[1] == 3.5


def test_what_the_trainings_took_in_words(tmp_path):
    assert runs.read_costs(tmp_path) == {}
    for index, (seconds, gb, device) in enumerate([(60, 1.24, "CPU"), (120, 2.36, "H200"), (600, 0.5, "CPU")]):
        cost = {"seconds": seconds, "peak_memory_gb": gb, "device": device}
        write_json(cost, runs.split_folder(tmp_path, index) / "cost.json")
    assert runs.read_costs(tmp_path) == {
        "device": "CPU, H200",
        "duration": "2.0 min per split (median of 3, last start)",
        "memory": "2.4 GB per process",
    }


def test_every_setting_changes_the_hash_and_their_order_does_not():
    recipe = {"a": 1, "b": (1, 2)}
    assert runs.recipe_hash(recipe) == runs.recipe_hash({"b": [1, 2], "a": 1})
    assert len({runs.recipe_hash(recipe | {"a": n}) for n in range(5)}) == 5
    assert len(runs.recipe_hash(recipe)) == 8


def test_splits_are_counted_by_repeat_and_then_by_split(tmp_path):
    splits = pd.DataFrame({"repeat": [10, 2, 2, 2, 2], "split": [0, 1, 0, 1, 10]})
    assert runs.list_splits(splits) == [(2, 0), (2, 1), (2, 10), (10, 0)]
    assert runs.split_folder(tmp_path, 3) == tmp_path / "split_4"


def test_masks_of_a_split_and_of_an_older_run(tmp_path):
    assert not runs.has_masks(tmp_path) and runs.find_masks(tmp_path, "s1") == {}
    (tmp_path / "masks").mkdir()
    assert runs.has_masks(tmp_path)
    (tmp_path / "masks").rmdir()
    pd.DataFrame({"repeat": [0, 1, 2], "split": 0}).to_csv(tmp_path / "splits.csv", index=False)
    for index in (0, 2):
        file = tmp_path / f"split_{index + 1}/masks/s1.nii.gz"
        file.parent.mkdir(parents=True)
        file.touch()
    assert runs.has_masks(tmp_path) and runs.find_masks(tmp_path, "s2") == {}
    assert runs.find_masks(tmp_path, "s1") == {(k, 0): tmp_path / f"split_{k + 1}/masks/s1.nii.gz" for k in (0, 2)}


def test_an_error_that_crosses_processes_says_the_same():
    error = InputError("a", "b", "c", "d", "e")
    assert str(pickle.loads(pickle.dumps(error))) == str(error) == "e: d: expected a; found b. c"


@pytest.mark.parametrize("separator", [";", "\t"])
def test_a_table_that_a_spreadsheet_has_saved_is_no_table_of_one_column(tmp_path, separator):
    (tmp_path / "cohort.csv").write_text(separator.join(["subject", "patient"]) + "\n" + separator.join("ab") + "\n")
    with pytest.raises(
        InputError, match="cohort.csv: expected a table of a run, separated by commas; found the header"
    ):
        runs.read_table(tmp_path / "cohort.csv")


def test_the_performance_of_an_older_run_is_found_under_its_former_name(tmp_path):
    (tmp_path / "metrics.json").write_text('{"synthetic": false, "worth": {"brier": 0.1}}')
    assert runs.read_metrics(tmp_path) == {"synthetic": False, "performance": {"brier": 0.1}}
