"""What both papers' trainings share."""

import warnings
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from glioma_idh import gbm2d, runs
from glioma_idh.cohorts.folders import Ignored
from glioma_idh.cohorts.table import COLUMNS, UNLABELLED
from glioma_idh.errors import InputError
from glioma_idh.files import write_table
from glioma_idh.sgp3d import Job, Recipe
from glioma_idh.sgp3d.method import METHOD
from glioma_idh.training.cohort import (
    TrainingCohort,
    read_external_cohort,
    refuse_copies,
    report_exclusions,
    require_labelled,
    write_subjects,
)
from glioma_idh.training.predict import read_subjects, warn_of_predictions
from glioma_idh.training.settings import check_settings, default_run_dir, external_name, run_key, with_whole_paths
from glioma_idh.training.splits import make_splits, run_calls, train_splits


def key_of(recipe, job):
    """What makes two runs of SGPNet the same run."""
    return run_key("sgp3d", recipe, job) | METHOD.key


def test_the_unlabelled_train_and_are_never_tested_and_no_patient_is_divided():
    rows = [(f"s{n}", f"p{n}", n % 2) for n in range(12)] + [("u1", "u1", np.nan), ("u2", "p0", np.nan)]
    table = pd.DataFrame(rows, columns=["subject", "patient", "idh"])
    splits = make_splits(Recipe(num_splits=3), table)
    assert splits[splits["subject"] == "u1"][["split", "part"]].to_numpy().tolist() == [[n, "train"] for n in (1, 2, 3)]
    tested = splits.loc[(splits["subject"] == "s0") & (splits["part"] == "test"), "split"].tolist()
    assert set(splits[splits["subject"] == "u2"]["split"]) == {1, 2, 3} - set(tested)
    assert (splits[splits["part"] == "test"].groupby("subject").size() == 1).all()


def test_nobody_labelled():
    table = pd.DataFrame({"subject": ["a"], "patient": ["a"], "idh": [np.nan]})
    with pytest.raises(InputError, match="expected labelled subjects to train on; found none left"):
        make_splits(Recipe(), table)


def test_nobody_labelled_is_said_with_the_reasons(capsys):
    errors = [InputError("IDH status", UNLABELLED, "Predict it.", "sheet.csv", subject) for subject in "ab"]
    require_labelled(pd.DataFrame({"idh": [0, np.nan]}), errors, 3)
    assert capsys.readouterr().out == ""
    for nobody in (pd.DataFrame({"idh": []}), pd.DataFrame({"idh": [np.nan]})):
        with pytest.raises(InputError, match="expected labelled subjects to train on; found none left. The reasons"):
            require_labelled(nobody, errors, 2)
        printed = capsys.readouterr().out
        assert printed.startswith("2 of 2 subjects are excluded:\n  a: sheet.csv: expected IDH status; found an empty")


def test_labels_are_advised_only_where_some_are_missing(capsys):
    nobody, two = (
        pd.DataFrame({"idh": []}),
        InputError("one IDH status per patient", "both", "Correct it.", subject="a"),
    )
    unknown = InputError("IDH status", UNLABELLED, "Predict it.", subject="b")
    for table, errors, advised in (
        (nobody, [two], False),
        (nobody, [two, unknown], True),
        (pd.DataFrame({"idh": [np.nan]}), [two], True),
    ):
        with pytest.raises(InputError) as caught:
            require_labelled(table, errors, 2)
        assert ("--labels" in caught.value.advice) == advised and "The reasons are listed above." in caught.value.advice


def test_two_cohorts_of_one_file_name_have_a_folder_each():
    names = {external_name(Job(external=path)) for path in ("a/cohort.csv", "b/cohort.csv", "upenn-gbm")}
    assert names == {"a-cohort", "b-cohort", "upenn-gbm"}


def test_other_labels_are_another_run(tmp_path):
    sheet = tmp_path / "labels.csv"
    sheet.write_text("subject,idh\na,1\n")
    before = run_key("sgp3d", Recipe(), Job(labels=sheet))
    sheet.write_text("subject,idh\na,0\n")
    after = run_key("sgp3d", Recipe(), Job(labels=sheet))
    assert {name for name in before if before[name] != after[name]} == {"labels_sha256"}


@pytest.mark.parametrize(
    ("job", "match"),
    [
        (Job(labels="x.csv"), "expected the cohort that --images and --labels belong to; found --cohort phantom"),
        (Job(external_labels="x.csv"), "expected --external with --external-images; found no --external"),
        (Job(jobs=0), "expected --jobs of at least 1; found 0"),
    ],
)
def test_settings_that_no_run_can_have(job, match):
    with pytest.raises(InputError, match=match):
        check_settings(Recipe(cohort="phantom"), job)


def test_the_split_seed_alone_decides_on_the_splits():
    """Hold-outs and folds of one split seed are the same whatever the seed; without it they are the seed's."""
    rows = [(f"s{n:02}", f"s{n:02}", n % 2) for n in range(40)]
    table = pd.DataFrame(rows, columns=["subject", "patient", "idh"])
    for recipe in (gbm2d.Recipe(), gbm2d.Recipe(splits="kfold"), Recipe(), Recipe(splits="holdout")):
        of_seed = {seed: make_splits(replace(recipe, seed=seed), table) for seed in (0, 1)}
        shared = make_splits(replace(recipe, seed=1, split_seed=0), table)
        assert shared.equals(of_seed[0]) and not shared.equals(of_seed[1])


def test_the_split_seed_makes_another_run_only_where_it_is_not_the_seed():
    """The four hashes are those of commit 0f1f384, the last one without the setting: runs of that time go on."""
    slices = [run_key("gbm2d", gbm2d.Recipe(cohort="brats2020-tcga", seed=seed), Job()) for seed in (0, 1)]
    volumes = [key_of(Recipe(seed=seed), Job()) for seed in (0, 1)]
    assert [runs.recipe_hash(settings) for settings in slices] == ["17559d8a", "80539a84"]
    assert [runs.recipe_hash(settings) for settings in volumes] == ["e53eec5d", "c96d08cf"]
    recipe = gbm2d.Recipe(cohort="brats2020-tcga", seed=1)
    assert run_key("gbm2d", replace(recipe, split_seed=1), Job()) == slices[1]
    assert key_of(Recipe(seed=1, split_seed=1), Job()) == volumes[1]
    assert run_key("gbm2d", replace(recipe, split_seed=0), Job()) == slices[1] | {"split_seed": 0}
    assert key_of(Recipe(seed=1, split_seed=0), Job()) == volumes[1] | {"split_seed": 0}


def test_a_run_from_before_the_split_seed_goes_on_and_one_of_other_splits_does_not(tmp_path):
    runs.begin_run(tmp_path, key_of(Recipe(), Job()), {})
    assert "split_seed" not in runs.read_json(tmp_path / "recipe.json")["recipe"]
    for same in (None, 0):
        assert not runs.find_run(tmp_path, key_of(Recipe(split_seed=same), Job()), METHOD.old_defaults)
    with pytest.raises(InputError, match="expected a run with split_seed 4; found one with split_seed None"):
        runs.find_run(tmp_path, key_of(Recipe(split_seed=4), Job()), METHOD.old_defaults)


def test_each_reason_is_said_once(capsys):
    errors = [InputError("a scan", "none", "Add it.", subject=f"s{n}") for n in range(3)]
    report_exclusions([*errors, InputError("a lesion", "an empty mask", "Check.", subject="x")], 9)
    assert capsys.readouterr().out.splitlines() == [
        "4 of 9 subjects are excluded (full list: exclusions.csv):",
        "  s0: expected a scan; found none. Add it. (2 more for the same reason)",
        "  x: expected a lesion; found an empty mask. Check.",
    ]


def test_nobody_to_predict_is_said(tmp_path):
    (tmp_path / "cohort.csv").write_text("subject,patient,idh,t1\np1,p1,1,\n")
    wanted = SimpleNamespace(
        cohort=str(tmp_path / "cohort.csv"), images=None, labels=None, all_visits=False, quiet=True
    )
    with pytest.raises(InputError, match="subjects with images"):
        read_subjects(wanted, ("t1",))


def table_of(*rows: dict) -> pd.DataFrame:
    """A cohort table of text; a subject is its own patient."""
    full = [dict.fromkeys(COLUMNS, "") | {"patient": row["subject"], "cohort": "x"} | row for row in rows]
    return pd.DataFrame(full)


def test_paths_are_those_of_where_they_were_typed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    job = Job("a", "b", "egd", "c", "d", "e")
    recipe, job = with_whole_paths(Recipe(cohort="c.csv"), job)
    assert recipe.cohort == str(tmp_path / "c.csv")
    assert (job.images, job.labels) == (tmp_path / "a", tmp_path / "b")
    assert (job.external_images, job.external_labels) == (tmp_path / "c", tmp_path / "d")
    assert (job.external, job.run_dir) == ("egd", Path("e"))
    assert with_whole_paths(Recipe(cohort="egd"), Job())[0].cohort == "egd"


def test_the_least_of_every_setting_can_be_run():
    recipe = replace(gbm2d.Recipe(), epochs=1, batch_size=1, num_splits=1, seed=0, split_seed=0)
    check_settings(recipe, Job(jobs=1))
    for name in ("epochs", "batch_size", "num_splits", "seed", "split_seed"):
        flag = "--" + name.replace("_", "-")
        with pytest.raises(InputError, match=f"expected {flag} of at least"):
            check_settings(replace(recipe, **{name: getattr(recipe, name) - 1}), Job())


def test_every_setting_and_every_input_makes_another_run(tmp_path):
    sheet = tmp_path / "cohort.csv"
    sheet.write_text("a")
    recipe = gbm2d.Recipe(cohort=str(sheet))
    before = run_key("gbm2d", recipe, Job())
    assert before["paper"] == "gbm2d" and before["images"] == ""
    changes = {"epochs": 3, "seed": 1, "rotation_deg": (0, 1), "learning_rate": 1.0, "batch_size": 2, "filters": (1,)}
    for name, value in changes.items():
        after = run_key("gbm2d", replace(recipe, **{name: value}), Job())
        assert {key for key in before if before[key] != after[key]} == {name}
    assert run_key("gbm2d", recipe, Job(images="x"))["images"] == "x"
    assert run_key("gbm2d", recipe, Job(run_dir="r", jobs=3, quiet=True, strict=True)) == before
    sheet.write_text("b")
    after = run_key("gbm2d", recipe, Job())
    assert {key for key in before if before[key] != after[key]} == {"cohort_sha256"}
    synthetic = run_key("gbm2d", gbm2d.Recipe(), Job())["phantom"]
    assert (synthetic["num_subjects"], synthetic["num_mutant"], synthetic["seed"]) == (100, 17, 193)
    assert "phantom" not in before


def test_a_run_s_folder_is_named_after_what_is_run():
    recipe = gbm2d.Recipe(cohort="/there/our.csv")
    names = {default_run_dir("gbm2d", ["t2"], replace(recipe, seed=seed), Job()) for seed in (0, 1, 1)}
    assert len(names) == 2
    assert all(name.parent == Path("runs") and name.name.startswith("gbm2d-t2-our-") for name in names)


@pytest.fixture
def cohorts(monkeypatch):
    """Cohorts by name in the place of those on disk, and how they were asked for."""
    kept = SimpleNamespace(tables={}, asked={}, looked_for=[])

    def read(name, images, labels, **settings):
        kept.asked[name] = (images, labels, settings)
        return kept.tables[name], [Ignored("a.nii", "no reason")]

    def require_files(table, flag="--images"):
        kept.looked_for.append((table["subject"].tolist(), flag))

    monkeypatch.setattr("glioma_idh.cohorts.read", read)
    for module in ("cohort", "predict"):
        monkeypatch.setattr(f"glioma_idh.training.{module}.require_files", require_files)
    return kept


def test_the_training_cohort_is_read_as_the_recipe_and_the_job_say(cohorts, capsys):
    cohorts.tables["egd"] = table_of({"subject": "a"})
    recipe = SimpleNamespace(cohort="egd", all_visits=True, phantom={"num_subjects": 5})
    table = TrainingCohort(recipe, Job("here", "sheet.csv"), ("t2",)).checked_table(("t2",))
    assert table is cohorts.tables["egd"]
    settings = {"sequences": ("t2",), "all_visits": True, "phantom": {"num_subjects": 5}, "quiet": False}
    assert cohorts.asked["egd"] == (Path("here"), Path("sheet.csv"), settings)
    assert "1 x no reason (a.nii)" in capsys.readouterr().out
    assert cohorts.looked_for == [(["a"], "--images")]  # the images; where only the names are asked for, below, none
    recipe.all_visits = False
    cohort = TrainingCohort(recipe, Job(quiet=True), ("adc",))
    assert cohort.table is cohorts.tables["egd"]
    settings |= {"sequences": ("adc",), "all_visits": False, "quiet": True}
    assert cohorts.asked["egd"] == (None, None, settings) and capsys.readouterr().out == ""
    assert len(cohorts.looked_for) == 1


def test_names_that_say_another_sequence_are_told_before_training_and_testing(cohorts, capsys):
    """As where two columns of a table were exchanged: one line for all."""
    rows = [{"subject": name, "t1gd": f"{name}/flair.nii", "flair": f"{name}/t1gd.nii"} for name in "ab"]
    cohorts.tables |= {"egd": table_of(*rows, {"subject": "c", "t1gd": "c/t1gd.nii", "idh": "1"})}
    recipe, job = gbm2d.Recipe(cohort="egd"), Job()
    TrainingCohort(recipe, job).checked_table(("t1gd",))
    said = "In 2 of 3 subjects, a file name contradicts the column of the file. "
    assert capsys.readouterr().err == f"{said}a: flair.nii is given as T1Gd, but its name suggests FLAIR.\n"
    TrainingCohort(recipe, job).checked_table(("t1",))
    assert capsys.readouterr().err == ""
    external(cohorts, [HERE], [THERE | {"t2": "t_flair.nii"}])
    assert "In 1 of 1 subjects, a file name contradicts the column" in capsys.readouterr().err


def external(cohorts, here, there, sequences=("t2",)):
    cohorts.tables |= {"egd": table_of(*here), "tcga": table_of(*there)}
    recipe = gbm2d.Recipe(cohort="egd")
    job = Job("a", "b", external="tcga", external_images="c", external_labels="d", quiet=True)
    return read_external_cohort(TrainingCohort(recipe, job, sequences), sequences)


HERE = {"subject": "h", "t2": "h.nii", "idh": "1"}
THERE = {"subject": "t", "t2": "t.nii", "idh": "0"}


def test_the_external_cohort_is_the_second_one(cohorts, capsys):
    table = external(cohorts, [HERE], [THERE])
    assert table["subject"].tolist() == ["t"]
    assert cohorts.asked["tcga"] == (Path("c"), Path("d"), {"sequences": ("t2",)})
    assert cohorts.asked["egd"][:2] == (Path("a"), Path("b"))
    assert cohorts.looked_for == [(["t"], "--external-images")]
    assert capsys.readouterr().out == ""
    external(cohorts, [HERE, HERE | {"subject": "n", "patient": "BraTS2021_00001"}], [THERE])
    assert "1 subjects have a BraTS id only" in capsys.readouterr().out


def test_an_external_cohort_that_cannot_test_is_refused(cohorts):
    with pytest.raises(InputError, match="expected labelled subjects in the external cohort; found none among 1"):
        external(cohorts, [HERE], [THERE | {"idh": ""}])
    with pytest.raises(InputError, match="expected T2 in cohort x; found only ADC"):
        external(cohorts, [HERE], [THERE | {"t2": "", "adc": "a.nii"}])
    with pytest.raises(InputError, match=r"found 1 in both \(h is t\)"):
        external(cohorts, [HERE], [THERE | {"patient": "h"}])


def test_an_image_in_both_is_refused_also_in_another_scale(tmp_path):
    """By its voxels, or by the measures that a run has kept of its subjects."""
    own = pd.DataFrame({"subject": ["a", "b"], "patient": ["a", "b"], "t2": ["a.nii", "b.nii"]})
    write_table(own.assign(t2_voxel_hash=["0012", "0034"]), tmp_path / "cohort.csv")
    other = own.assign(subject=["c", "d"], t2_voxel_hash=["12", "56"])
    measured = pd.DataFrame({"subject": ["c", "d"], "box_ml": [8.0, 9.0]})
    refuse_copies(tmp_path, other, measured)
    with pytest.raises(InputError, match=r"found 1 in both \(T2 of b \(b.nii\) is T2 of c \(a.nii\)\)"):
        refuse_copies(tmp_path, other.assign(t2_voxel_hash=["0034", "56"]), measured)
    write_table(measured.assign(subject=["a", "b"], box_ml=[7.0, 9.0]), tmp_path / runs.MEASURES)
    with pytest.raises(InputError, match=r"found 1 in both \(b is d\). Remove these subjects"):
        refuse_copies(tmp_path, other, measured)


def test_of_every_sequence_those_in_both_are_looked_for(cohorts):
    """A patient whose image of that sequence is in one cohort alone is not tested on what was trained on."""
    other = HERE | {"subject": "o", "t2": "", "adc": "o.nii"}
    twin = THERE | {"patient": "o", "adc": ""}
    assert len(external(cohorts, [HERE, other], [twin])) == 1
    assert len(external(cohorts, [HERE], [THERE, other | {"patient": "h"}])) == 2
    with pytest.raises(InputError, match="o is t"):
        external(cohorts, [HERE, other], [twin | {"adc": "t.nii"}], ("t2", "adc"))


def test_a_strict_run_stops_at_a_mistake_and_not_at_an_unknown_status(capsys):
    unknown = InputError("IDH status", UNLABELLED, "Predict it.", subject="u")
    report_exclusions([unknown], 2, strict=True)
    mistakes = [InputError("a scan", "none", "Add it.", subject=f"s{n}") for n in range(2)]
    with pytest.raises(InputError, match="s0: expected a scan"):
        report_exclusions([unknown, *mistakes], 3, strict=True)
    capsys.readouterr()
    report_exclusions([], 3, strict=True)
    assert capsys.readouterr().out == ""
    report_exclusions([InputError("x", f"reason {n}", "") for n in range(7)], 9)
    assert len(capsys.readouterr().out.splitlines()) == 1 + 5


def test_who_is_used_who_is_not_and_what_was_planted_are_written(tmp_path):
    table = table_of(*[{"subject": s, "cohort": "phantom", "t2": str(tmp_path / f"{s}/t2.nii")} for s in "ba"])
    truth = "subject,d_t2,z_t2,d_adc,z_adc\na,2,3,5,7\nb,2,-1,5,1\nc,2,9,5,1\n"
    (tmp_path / "truth.csv").write_text(truth)
    run = tmp_path / "run"
    write_subjects(run, table, [InputError("a scan", "none", "Add it.", "f", "c")], ["t2"])
    assert (run / "planted.csv").read_text() == "subject,score\nb,-2\na,6\n"
    assert pd.read_csv(run / "cohort.csv")["subject"].tolist() == ["b", "a"]
    assert pd.read_csv(run / "exclusions.csv")[["subject", "found"]].to_numpy().tolist() == [["c", "none"]]
    write_subjects(tmp_path / "real", table.assign(cohort="x"), [], ["t2"])
    assert not (tmp_path / "real/planted.csv").exists()


@pytest.mark.parametrize("kind", ["holdout", "kfold"])
def test_splits_are_drawn_as_the_recipe_says(monkeypatch, kind):
    table = table_of(*[{"subject": f"s{n}", "idh": n % 2} for n in range(4)])
    given, drawn = {}, table[["subject"]].assign(repeat=0, split=0, part="train")
    for name in ("holdout", "kfold"):
        draw = lambda _, *settings, name=name: given.update({name: settings}) or drawn  # noqa: E731
        monkeypatch.setattr(f"glioma_idh.cohorts.splits.{name}_splits", draw)
    recipe = replace(gbm2d.Recipe(), splits=kind, num_splits=7, seed=9, test_fraction=0.3, min_test_mutants=2)
    make_splits(recipe, table)
    assert given == ({"holdout": (7, 0.3, 2, 9)} if kind == "holdout" else {"kfold": (7, 9)})


def test_the_unlabelled_train_in_every_hold_out_of_which_their_patient_is_no_part():
    rows = [(f"s{n:02}", f"p{n}", n % 2) for n in range(40)] + [("u", "p3", np.nan)]
    table = pd.DataFrame(rows, columns=["subject", "patient", "idh"])
    splits = make_splits(replace(gbm2d.Recipe(), num_splits=6), table)
    tested = set(splits.loc[(splits["subject"] == "s03") & (splits["part"] == "test"), "repeat"])
    assert 0 < len(tested) < 6
    rows = splits[splits["subject"] == "u"]
    assert set(rows["repeat"]) == set(range(1, 7)) - tested and set(rows["part"]) == {"train"}
    assert (rows["split"] == rows["repeat"]).all()


def test_every_split_is_trained_once(monkeypatch, capsys, tmp_path):
    given = []

    def trained(train, calls, jobs):
        given.extend([train, calls, jobs])
        yield from [1, 0]

    monkeypatch.setattr("glioma_idh.training.splits.run_calls", trained)
    recipe = gbm2d.Recipe(num_splits=2)
    train_splits(print, recipe, tmp_path, 3, quiet=False)
    assert given == [print, [(recipe, tmp_path, index, False) for index in range(2)], 3]
    assert capsys.readouterr().out == "split 2 trained (1 of 2)\nsplit 1 trained (2 of 2)\n"
    train_splits(print, recipe, tmp_path, 3, quiet=False, label="T1Gd: ")
    assert capsys.readouterr().out == "T1Gd: split 2 trained (1 of 2)\nT1Gd: split 1 trained (2 of 2)\n"
    train_splits(print, recipe, tmp_path, 3, quiet=True)
    assert capsys.readouterr().out == ""


def test_a_training_that_the_system_ended_is_said(monkeypatch):
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    def parallel(jobs, **_):
        def run(calls):
            assert jobs == 2 and len(list(calls)) == 3
            raise TerminatedWorkerError("killed")

        return run

    assert sorted(run_calls(pow, [(2, 3), (3, 2)], 1)) == [8, 9]
    monkeypatch.setattr("joblib.Parallel", parallel)
    with warnings.catch_warnings(), pytest.raises(InputError, match="one that the operating system ended.*--jobs 1"):
        list(run_calls(pow, [(2, 3)] * 3, 2))


def test_those_with_any_image_are_predicted(cohorts, capsys):
    cohorts.tables["egd"] = table_of(
        {"subject": "a", "t2": "a.nii"}, {"subject": "b"}, {"subject": "c", "adc": "c.nii"}, {"subject": "../d"}
    )
    wanted = SimpleNamespace(cohort="egd", images="i", labels="l", all_visits=True, quiet=True)
    assert read_subjects(wanted, ["t2"])["subject"].tolist() == ["a", "c"]
    assert cohorts.looked_for == [(["a", "c"], "--images")]
    assert cohorts.asked["egd"] == ("i", "l", {"sequences": ["t2"], "all_visits": True, "quiet": True})
    wanted.all_visits = wanted.quiet = False
    read_subjects(wanted, ["adc"])
    assert cohorts.asked["egd"] == ("i", "l", {"sequences": ["adc"], "all_visits": False, "quiet": False})
    assert "excluded: ../d: expected an id that can be used as a file name" in capsys.readouterr().err


def test_a_bad_cell_stops_training_testing_and_prediction_before_anything_is_read(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("ID,IDH status,Gender,FLAIR\na,1,F,a.nii\nb,0,2,b.nii\n")
    recipe, job = gbm2d.Recipe(cohort=str(path)), Job(external=str(path))
    wanted = SimpleNamespace(cohort=str(path), images=None, labels=None, all_visits=False, quiet=True)
    commands = (
        lambda: TrainingCohort(recipe, job).checked_table(("flair",)),
        lambda: read_external_cohort(TrainingCohort(recipe, job), ("flair",)),
        lambda: read_subjects(wanted, ("flair",)),
    )
    for command in commands:
        with pytest.raises(InputError, match="a.csv: expected sex as F or M .*; found '2' in row 3, column Gender"):
            command()
    path.write_text(path.read_text().replace("b,0,2", "b,0,M"))
    flags = ("--images", "--external-images", "--images")
    for command, flag in zip(commands, flags, strict=True):
        with pytest.raises(
            InputError, match=f"first path is {tmp_path}/a.nii. Relative .*; choose another folder with {flag} DIR"
        ):
            command()


def test_scores_of_the_run_s_own_patients_and_of_phantoms_are_said_to_be_no_results(tmp_path, capsys):
    (tmp_path / "cohort.csv").write_text("subject,patient\na,p1\nb,p2\n")
    table = table_of({"subject": "x", "patient": "p2"}, {"subject": "a", "patient": "p9"})
    wanted = SimpleNamespace(run_dir=tmp_path, with_skull=False)
    warn_of_predictions(table, wanted, {}, synthetic=False)
    told = capsys.readouterr().err
    assert told.startswith("1 of 2 subjects were in the training cohort") and "phantom" not in told
    warn_of_predictions(table.tail(1), wanted, {}, synthetic=True)
    told = capsys.readouterr().err
    assert told.startswith("These networks were trained on synthetic data (phantom)")
    assert "patients of the run" not in told


def test_scans_with_skull_make_another_run_and_runs_from_before_the_setting_go_on(tmp_path):
    without, with_skull = key_of(Recipe(), Job()), key_of(Recipe(with_skull=True), Job())
    assert with_skull == without | {"with_skull": True}
    slices = run_key("gbm2d", gbm2d.Recipe(), Job())
    assert run_key("gbm2d", gbm2d.Recipe(with_skull=True), Job()) == slices | {"with_skull": True}
    runs.begin_run(tmp_path, without, {})
    assert not runs.find_run(tmp_path, without, METHOD.old_defaults)
    with pytest.raises(InputError, match="expected a run with with_skull True; found one with with_skull None"):
        runs.find_run(tmp_path, with_skull, METHOD.old_defaults)
