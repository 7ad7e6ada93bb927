"""The door: a raw phantom patient comes out as it is known to be; what is wrong is said and stops nobody else."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pandas as pd
import pytest

from glioma_idh import cohorts, prepare
from glioma_idh.errors import InputError
from glioma_idh.imaging.resampling import read_transform
from glioma_idh.imaging.volumes import read_volume
from glioma_idh.phantom.raw import SPACING_MM, acquire, make_raw_patient
from glioma_idh.phantom.recipe import PhantomRecipe
from glioma_idh.preparation.masks import mask_on_series
from glioma_idh.preparation.settings import Settings
from glioma_idh.preparation.stages import read_record
from glioma_idh.reporting.figures import patient_checks

pytestmark = pytest.mark.integration

SEQUENCES = ("t1", "t1gd", "t2", "flair", "adc", "rcbv")
RECIPE = PhantomRecipe(spacing_mm=3.0)
WHOLE = Settings(spacing_mm=2.0)
FAST = Settings(skip=("head-motion", "registration", "brain", "bias"), spacing_mm=3.0)


@pytest.fixture(scope="module")
def phantom(tmp_path_factory):
    """A raw phantom patient, what came of it (voxels of 2 mm), and the folder of what is known of it."""
    place = tmp_path_factory.mktemp("prepare")
    source = make_raw_patient(place / "raw", recipe=RECIPE)
    job = prepare.Job(source, out=place / "out", quiet=True)
    (outcome,) = prepare.run(job, WHOLE)
    return source, outcome, place / "raw" / "truth" / source.name, job


def voxels(path) -> np.ndarray:
    return read_volume(path).array


@pytest.mark.slow
def test_six_sequences_and_masks_on_one_grid(phantom):
    source, outcome, _, job = phantom
    assert outcome.errors == []
    assert set(outcome.files) == {*SEQUENCES, "brain_mask", "lesion_mask"}
    images = [nibabel.load(path) for path in outcome.files.values()]
    assert {image.shape for image in images} == {(87, 107, 86)}  # 58, 71 and 57 voxels of 3 mm
    assert all(np.array_equal(image.affine, images[0].affine) for image in images)
    assert images[0].header.get_zooms() == (2, 2, 2)
    assert (job.out / source.name / "qc.png").stat().st_size > 100_000
    assert (job.out / source.name / "qc_dsc.png").stat().st_size > 20_000


def on_truth(outcome, known: Path, column: str) -> tuple[np.ndarray, np.ndarray]:
    """A map of the result on the phantom's own grid, and the truth."""
    from glioma_idh.imaging.resampling import resample

    truth = read_volume(known / f"{column}.nii.gz")
    return resample(read_volume(outcome.files[column]), truth).array, truth.array


@pytest.mark.slow
@pytest.mark.parametrize(("column", "role", "tolerance"), [("adc", "dwi", 0.05), ("rcbv", "dsc", 0.10)])
def test_maps_inside_the_lesion_are_true(phantom, column, role, tolerance):
    """Beside the truth as slices of that thickness show it."""
    from glioma_idh.imaging.resampling import resample

    _, outcome, known, _ = phantom
    moved = np.array(json.loads((known / "placement.json").read_text())[role])
    made, truth = on_truth(outcome, known, column)
    seen = acquire(read_volume(known / f"{column}.nii.gz"), SPACING_MM[role], moved)
    seen = resample(seen, read_volume(known / f"{column}.nii.gz"), moved).array
    lesion = voxels(known / "lesion_mask.nii.gz") != 0
    assert made[lesion].mean() == pytest.approx(seen[lesion].mean(), rel=tolerance)
    assert made[lesion].mean() == pytest.approx(truth[lesion].mean(), rel=0.12)


@pytest.mark.slow
@pytest.mark.parametrize(("column", "least"), [("brain_mask", 0.92), ("lesion_mask", 0.85)])
def test_masks_are_where_they_belong(phantom, column, least):
    _, outcome, known, _ = phantom
    made, truth = (mask > 0.5 for mask in on_truth(outcome, known, column))
    assert 2 * (made & truth).sum() / (made.sum() + truth.sum()) > least


@pytest.mark.slow
def test_movements_are_found(phantom):
    source, _, known, job = phantom
    placement = json.loads((known / "placement.json").read_text())
    corners = np.array([[x, y, z, 1] for x in (-60, 60) for y in (-90, 60) for z in (-40, 70)]).T
    for role in ("t1", "t2", "flair", "dwi", "dsc"):
        found = read_transform(job.out / source.name / "transforms" / f"{role}_to_t1gd.tfm")
        off_mm = np.linalg.norm(((found - np.array(placement[role])) @ corners)[:3], axis=0)
        assert off_mm.max() < (1.0 if role in ("t1", "t2", "flair") else 2.0), role


@pytest.mark.slow
def test_a_mask_goes_back_to_where_it_was_drawn(phantom):
    source, outcome, _, job = phantom
    drawn = read_volume(source / "lesion_mask.nii.gz")
    back = mask_on_series(read_volume(outcome.files["lesion_mask"]), job.out / source.name, "t2", drawn)
    made, drawn = back.array != 0, drawn.array != 0
    assert 2 * (made & drawn).sum() / (made.sum() + drawn.sum()) > 0.9


@pytest.mark.slow
def test_the_cohort_table_is_one_that_training_takes(phantom):
    source, outcome, _, job = phantom
    table, _ = cohorts.read(str(job.out / "cohort.csv"))
    assert table.loc[0, "subject"] == source.name
    assert Path(table.loc[0, "rcbv"]) == outcome.files["rcbv"].resolve()


@pytest.mark.slow
def test_the_note_says_what_became_what_and_why(phantom):
    source, _, _, job = phantom
    note = read_record(job.out / source.name)
    assert note["series"]["t2"]["series"] == "t2" and "T2" in note["series"]["t2"]["reason"]
    assert "Boxerman" in note["stages"]["rcbv"]["found"]["method"]
    assert set(note["made_with"]) >= {"SimpleITK", "dcm2niix", "glioma_idh"}
    assert note["problems"] == []


@pytest.mark.slow
def test_nothing_is_made_twice(phantom):
    _, outcome, _, job = phantom
    before = {path: path.stat().st_mtime_ns for path in job.out.rglob("*.nii.gz")}
    (again,) = prepare.run(job, WHOLE)
    assert again.files == outcome.files
    assert {path: path.stat().st_mtime_ns for path in job.out.rglob("*.nii.gz")} == before


@pytest.mark.slow
def test_another_setting_makes_again_what_it_touches_alone(phantom):
    source, outcome, _, job = phantom
    before = {column: path.stat().st_mtime_ns for column, path in outcome.files.items()}
    uncorrected = voxels(job.out / source.name / "perfusion" / "rcbv_uncorrected.nii.gz")
    (again,) = prepare.run(job, replace(WHOLE, leakage_correction=False))
    changed = {column for column, path in again.files.items() if path.stat().st_mtime_ns != before[column]}
    assert changed == {"rcbv"}
    assert np.array_equal(voxels(again.files["rcbv"]), uncorrected)


SHAPE, AFFINE = (24, 28, 12), np.diag([3.0, 3, 5, 1])


def write(path: Path, array) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(np.asarray(array, np.float32), AFFINE), path)
    return path


@pytest.fixture
def patient(tmp_path, monkeypatch):
    """A small patient of noise, with the four sequences; no picture is drawn of it."""
    monkeypatch.setattr(patient_checks, "draw_checks", lambda *_, **__: None)
    rng, folder = np.random.default_rng(0), tmp_path / "cohort" / "p1"
    for name in ("t1", "t1gd", "t2", "flair"):
        write(folder / f"{name}.nii.gz", rng.uniform(50, 100, SHAPE))
    return folder


def outcome_of(folder: Path, settings: Settings = FAST, **job):
    """What becomes of one small patient."""
    job = {"out": folder.parents[1] / "out", "quiet": True} | job
    (outcome,) = prepare.run(prepare.Job(folder, **job), settings)
    return outcome


def write_dwi(folder: Path, b_values) -> None:
    tissue = np.random.default_rng(1).uniform(500, 600, SHAPE)[..., None]
    write(folder / "dwi.nii.gz", tissue * np.exp(-np.array(b_values) * 1e-3))
    (folder / "dwi.bval").write_text(" ".join(map(str, b_values)))


def write_dsc(folder: Path, drop: float = 0.4, baseline: int = 15, sidecar: dict | None = None) -> None:
    """A series over time; the signal drops by a share, for a dozen volumes, after the baseline."""
    rng, curve = np.random.default_rng(2), np.ones(60)
    curve[baseline : baseline + 12] -= drop * np.hanning(12)
    series = rng.uniform(400, 500, SHAPE)[..., None] * curve + rng.normal(0, 4, (*SHAPE, 60))
    write(folder / "dsc.nii.gz", series)
    sidecar = {"EchoTime": 0.03, "RepetitionTime": 1.5} if sidecar is None else sidecar
    (folder / "dsc.json").write_text(json.dumps(sidecar))


def test_images_alone_need_nothing_else(patient):
    outcome = outcome_of(patient)
    assert set(outcome.files) == {"t1", "t1gd", "t2", "flair"}
    assert outcome.errors == []


def with_brain(patient: Path) -> Settings:
    """Settings for a patient whose brain and normal white matter are given."""
    mask = np.zeros(SHAPE)
    mask[3:-3, 3:-3, 2:-2] = 1
    write(patient / "brain_mask.nii.gz", mask)
    white = write(patient.parents[1] / "white.nii.gz", mask)
    return replace(FAST, skip=("head-motion", "registration", "bias"), white_mask=white)


def one_b_value(patient):
    write_dwi(patient, [1000, 1000, 1000])
    return FAST, ("b-value",)


def echo_time_missing(patient):
    write_dsc(patient, sidecar={"RepetitionTime": 1.5})
    return with_brain(patient), ("echo time", "--echo-times-s")


def repetition_time_missing(patient):
    write_dsc(patient, sidecar={"EchoTime": 0.03})
    return with_brain(patient), ("repetition time", "--repetition-time-s")


def echo_time_in_milliseconds(patient):
    write_dsc(patient, sidecar={"EchoTime": 30, "RepetitionTime": 1.5})
    return with_brain(patient), ("milliseconds",)


def no_bolus(patient):
    write_dsc(patient, drop=0)
    return with_brain(patient), ("bolus",)


def few_baseline_points(patient):
    write_dsc(patient, baseline=2)
    return with_brain(patient), ("baseline",)


def white_matter_in_the_lesion(patient):
    write_dsc(patient)
    mask = np.zeros(SHAPE)
    mask[8:14, 8:14, 4:8] = 1
    write(patient / "lesion_mask.nii.gz", mask)
    settings = with_brain(patient)
    write(settings.white_mask, mask)
    return settings, ("white matter", "lesion")


def white_matter_empty(patient):
    write_dsc(patient)
    settings = with_brain(patient)
    write(settings.white_mask, np.zeros(SHAPE))
    return settings, ("white matter", "empty")


def no_head(patient):
    write_dsc(patient)
    return replace(with_brain(patient), white_mask=None), ("template", "--white-mask")


def mask_on_another_grid(patient):
    nibabel.save(nibabel.Nifti1Image(np.ones((5, 5, 5), np.uint8), np.eye(4)), patient / "lesion_mask.nii.gz")
    return FAST, ("grid",)


def empty_lesion_mask(patient):
    write(patient / "lesion_mask.nii.gz", np.zeros(SHAPE))
    return FAST, ("lesion",)


def b_values_in_another_order(patient):
    write_dwi(patient, [0, 500, 1000])
    (patient / "dwi.bval").write_text("1000 500 0")
    return FAST, ("ADC", "order")


def b_values_missing(patient):
    write_dwi(patient, [0, 500, 1000])
    (patient / "dwi.bval").unlink()
    return FAST, (".bval",)


BAD_SERIES = (
    b_values_in_another_order,
    b_values_missing,
    one_b_value,
    echo_time_missing,
    repetition_time_missing,
    echo_time_in_milliseconds,
    no_bolus,
    few_baseline_points,
    white_matter_in_the_lesion,
    white_matter_empty,
    pytest.param(no_head, marks=pytest.mark.slow),
    mask_on_another_grid,
    empty_lesion_mask,
)


@pytest.mark.parametrize("spoil", BAD_SERIES, ids=lambda spoil: getattr(spoil, "__name__", ""))
def test_a_bad_series_is_named_and_the_others_come_out(patient, spoil):
    settings, words = spoil(patient)
    outcome = outcome_of(patient, settings)
    assert {"t1", "t1gd", "t2", "flair"} <= set(outcome.files)
    (error,) = outcome.errors
    assert all(word in str(error) for word in words), str(error)
    assert error.file
    exclusions = pd.read_csv(patient.parents[1] / "out" / "exclusions.csv")
    assert list(exclusions["subject"]) == ["p1"]
    assert str(patient.parents[1]) not in (patient.parents[1] / "out" / "p1" / "prepare.json").read_text()


def test_without_a_reference_it_says_what_there_is(patient):
    (patient / "t1gd.nii.gz").unlink()
    outcome = outcome_of(patient)
    assert not outcome.files
    assert "t1gd" in str(outcome.errors[0]) and "--reference" in str(outcome.errors[0])
    assert set(outcome_of(patient, replace(FAST, reference="t1")).files) == {"t1", "t2", "flair"}


def test_what_stops_a_patient_hides_nothing_else_that_is_wrong(patient, monkeypatch):
    """Here no brain can be found in noise, and a series cannot be read."""
    from glioma_idh.imaging.registration.template import TemplateFit
    from glioma_idh.preparation import alignment

    fit = TemplateFit(np.eye(4), None, np.ones(3), 1, 0.02, ("the template explains only 2% of the image",))
    monkeypatch.setattr(alignment, "fit_template", lambda head: fit)
    (patient / "t2.nii.gz").write_bytes(b"no image")
    outcome = outcome_of(patient, Settings(skip=("head-motion", "registration", "bias")))
    assert not outcome.files
    unread, no_brain = map(str, outcome.errors)
    assert "t2" in unread and "template" in no_brain
    exclusions = pd.read_csv(patient.parents[1] / "out" / "exclusions.csv")
    assert list(exclusions["subject"]) == ["p1", "p1"]
    note = json.loads((patient.parents[1] / "out" / "p1" / "prepare.json").read_text(encoding="utf-8"))
    assert len(note["problems"]) == 2 and note["files"] == {}


def test_other_patients_go_on(patient, capsys):
    """And the reason is said, quiet or not: it is no progress."""
    broken = patient.parent / "p2"
    shutil.copytree(patient, broken)
    (broken / "t1gd.nii.gz").write_bytes(b"no image")
    job = prepare.Job(patient.parent, out=patient.parents[1] / "out", many=True, jobs=2, quiet=True)
    outcomes = {outcome.subject: outcome for outcome in prepare.run(job, FAST)}
    assert len(outcomes["p1"].files) == 4 and not outcomes["p2"].files
    said = capsys.readouterr().err
    assert "p2: no results" in said and str(outcomes["p2"].errors[0]) in said and "p1" not in said
    assert list(cohorts.read(str(job.out / "cohort.csv"))[0]["subject"]) == ["p1"]


def test_a_surprise_in_one_patient_stops_nobody(patient, monkeypatch):
    from glioma_idh.preparation import patient as module

    shutil.copytree(patient, patient.parent / "p2")
    (patient / "gone.nii.gz").symlink_to("/nowhere")
    work = module._convert_once

    def surprised(stages, source, native):
        if source.name == "p2":
            raise RuntimeError("out of the blue")
        return work(stages, source, native)

    monkeypatch.setattr(module, "_convert_once", surprised)
    job = prepare.Job(patient.parent, out=patient.parents[1] / "out", many=True, quiet=True)
    good, bad = prepare.run(job, FAST)
    assert len(good.files) == 4 and "out of the blue" in str(bad.errors[0])


def test_a_file_a_b_value_gives_the_adc_of_one_file(patient):
    write_dwi(patient, [0, 500, 1000])
    whole = voxels(outcome_of(patient, FAST, out=patient.parents[1] / "whole").files["adc"])
    series = read_volume(patient / "dwi.nii.gz", num_axes=4).array
    for file in patient.glob("dwi.*"):
        file.unlink()
    for n, b_value in enumerate((0, 500, 1000)):
        write(patient / f"dwi_b{b_value}.nii.gz", series[..., n])
    outcome = outcome_of(patient, FAST, out=patient.parents[1] / "parts")
    assert outcome.errors == []
    assert voxels(outcome.files["adc"]) == pytest.approx(whole)


def test_the_scanners_adc_is_taken_where_dwi_has_one_b_value(patient):
    write_dwi(patient, [1000, 1000, 1000])
    write(patient / "adc.nii.gz", np.random.default_rng(1).uniform(700, 900, SHAPE))
    outcome = outcome_of(patient)
    assert outcome.errors == []
    assert np.median(voxels(outcome.files["adc"])) == pytest.approx(0.8e-3, rel=0.05)


def test_nothing_is_asked_of_a_series_that_nothing_is_made_of(patient):
    write_dwi(patient, [0, 500, 1000])
    (patient / "dwi.bval").unlink()
    write_dsc(patient, sidecar={})
    outcome = outcome_of(patient, replace(FAST, skip=("registration", "brain", "bias", "adc", "rcbv")))
    assert outcome.errors == [] and not {"adc", "rcbv"} & outcome.files.keys()
    assert not read_record(patient.parents[1] / "out" / "p1")["transforms"].keys() & {"dwi", "dsc"}


def test_maps_have_their_values_up_to_the_border_of_the_brain(patient):
    write_dwi(patient, [0, 1000])
    mask = np.zeros(SHAPE)
    mask[4:-4, 4:-4, 3:-3] = 1
    write(patient / "brain_mask.nii.gz", mask)
    settings = Settings(skip=("head-motion", "registration", "bias"), spacing_mm=2.0)
    files = outcome_of(patient, settings).files
    inside = voxels(files["adc"])[voxels(files["brain_mask"]) != 0]
    assert inside.min() > 0.99e-3 and inside.max() < 1.01e-3


def test_the_note_says_whether_leakage_is_corrected(patient):
    write_dsc(patient)
    settings = with_brain(patient)
    for corrected in (True, False):
        outcome = outcome_of(patient, replace(settings, leakage_correction=corrected))
        assert outcome.errors == []
        method = read_record(patient.parents[1] / "out" / "p1")["stages"]["rcbv"]["found"]["method"]
        assert ("rcbv is the map without leakage correction" in method) != corrected


def test_rcbv_is_made_again_when_the_image_that_the_template_fits_changes(patient):
    write_dsc(patient)
    settings = with_brain(patient)
    before = outcome_of(patient, settings).files["rcbv"].stat().st_mtime_ns
    assert outcome_of(patient, settings).files["rcbv"].stat().st_mtime_ns == before
    write(patient / "t1gd.nii.gz", np.random.default_rng(7).uniform(50, 100, SHAPE))
    assert outcome_of(patient, settings).files["rcbv"].stat().st_mtime_ns > before


def test_a_dark_volume_of_the_bolus_series_is_filled_and_said(patient):
    write_dsc(patient)
    whole = voxels(outcome_of(patient, with_brain(patient)).files["rcbv"])
    series = nibabel.load(patient / "dsc.nii.gz").get_fdata()
    series[..., 44] = 0
    write(patient / "dsc.nii.gz", series)
    outcome = outcome_of(patient, with_brain(patient))
    assert outcome.remarks[-1] == "Dark or empty volumes of the DSC series were interpolated: 45."
    assert voxels(outcome.files["rcbv"]) == pytest.approx(whole, abs=0.1)


def test_two_repetition_times_are_none(patient):
    write_dsc(patient)
    image = nibabel.load(patient / "dsc.nii.gz")
    image.header.set_xyzt_units("mm", "sec")
    image.header["pixdim"][4] = 3.0
    nibabel.save(image, patient / "dsc.nii.gz")
    (error,) = outcome_of(patient, with_brain(patient)).errors
    assert "1.5 s in the sidecar, 3 s between the volumes in the header" in str(error)
    assert "rcbv" in outcome_of(patient, replace(with_brain(patient), repetition_time_s=1.5)).files


def test_an_empty_image_is_none(patient):
    write(patient / "t2.nii.gz", np.zeros(SHAPE))
    outcome = outcome_of(patient)
    assert set(outcome.files) == {"t1", "t1gd", "flair"} and "t2" in outcome.errors[0].file


def test_probabilities_and_negative_backgrounds_are_masks(patient):
    mask = np.full(SHAPE, 0.01)
    mask[8:12, 8:12, 4:6] = 0.9
    write(patient / "lesion_mask.nii.gz", mask)
    spacing = replace(FAST, spacing_mm=3.0)
    few = voxels(outcome_of(patient, spacing).files["lesion_mask"]).sum()
    write(patient / "lesion_mask.nii.gz", np.where(mask > 0.5, 4, -1))
    assert 0 < voxels(outcome_of(patient, spacing).files["lesion_mask"]).sum() == few < 100


def test_names_with_spaces_and_other_letters(patient):
    folder = patient.parent / "Fall 3 Ä 患者"
    shutil.copytree(patient, folder)
    assert len(outcome_of(folder).files) == 4


def test_the_same_image_twice_is_no_contrast_image(patient):
    shutil.copyfile(patient / "t1.nii.gz", patient / "t1gd.nii.gz")
    assert "t1" in str(outcome_of(patient).errors[0])


@pytest.mark.parametrize(
    ("job", "settings", "words"),
    [
        ({"source": "nowhere"}, {}, "no such folder"),
        ({"many": True, "subject": "x"}, {}, "--subject"),
        ({"many": True}, {"lesion_mask": __file__}, "--lesion-mask"),
        ({"jobs": 0}, {}, "--jobs"),
        ({"subject": "../evil"}, {}, "--subject"),
        ({"subject": ""}, {}, "--subject"),
        ({"out": Path(__file__)}, {}, "--out"),
        ({}, {"series": ("t9=3",)}, "ROLE=SERIES"),
        ({}, {"series": ("t2",)}, "ROLE=SERIES"),
        ({}, {"reference": "t7"}, "--reference"),
        ({}, {"spacing_mm": 0.0}, "--spacing-mm"),
        ({}, {"lesion_mask": "gone.nii.gz"}, "--lesion-mask"),
        ({}, {"brain_command": "hd-bet {input}"}, "{mask}"),
        ({}, {"brain_command": "no-such-program {input} {mask}"}, "installed"),
        ({"lesion_run": Path("nowhere")}, {}, "run"),
    ],
)
def test_settings_that_cannot_be(patient, job, settings, words):
    wanted = prepare.Job(**({"source": patient, "out": patient.parents[1] / "out", "quiet": True} | job))
    with pytest.raises(InputError, match=words):
        prepare.run(wanted, replace(FAST, **settings))


def test_results_do_not_go_into_the_patients_folder(patient):
    with pytest.raises(InputError, match="--out"):
        outcome_of(patient, out=patient / "out")


def test_an_id_that_names_the_patient_is_written_nowhere(patient, monkeypatch):
    from glioma_idh.preparation import command

    monkeypatch.setattr(command, "contains_patient_identity", lambda name, folder: name == "p1")
    outcome = outcome_of(patient)
    assert not outcome.files and "--subject" in str(outcome.errors[0])
    assert not (patient.parents[1] / "out").exists()
    assert len(outcome_of(patient, subject="case-1").files) == 4


def test_strict_stops(patient):
    settings, _ = one_b_value(patient)
    with pytest.raises(InputError, match="p1"):
        outcome_of(patient, settings, strict=True)


def test_a_lesion_is_found_by_what_is_handed_in(patient, monkeypatch):
    """Whatever finds lesions gets the four images and writes the mask."""
    from glioma_idh.imaging.volumes import write_volume
    from glioma_idh.preparation.context import LesionFinder

    def find(images, path):
        t2 = read_volume(images["t2"])
        assert set(images) == {"t1", "t1gd", "t2", "flair"}
        write_volume(path, (t2.array > 90).astype(np.uint8), t2.affine)

    monkeypatch.setattr(prepare, "lesion_finder", lambda run: LesionFinder(find, (), "by a threshold"))
    monkeypatch.setattr(prepare, "_check_lesion_run", lambda run: None)
    outcome = outcome_of(patient, lesion_run=Path("run"))
    assert np.array_equal(voxels(outcome.files["lesion_mask"]) != 0, voxels(outcome.files["t2"]) > 90)
    assert "segmented by a threshold, not drawn" in " ".join(outcome.remarks)
    (patient / "flair.nii.gz").unlink()
    assert "flair" in str(outcome_of(patient, lesion_run=Path("run")).errors[0])


@pytest.mark.parametrize("value", [0, 1])
def test_a_found_lesion_that_is_none_or_everything_is_said(patient, monkeypatch, value):
    from glioma_idh.imaging.volumes import write_volume
    from glioma_idh.preparation.context import LesionFinder

    def find(images, path):
        t2 = read_volume(images["t2"])
        write_volume(path, np.full(t2.array.shape, value, np.uint8), np.diag([4.0, 4, 5, 1]) if value else t2.affine)

    monkeypatch.setattr(prepare, "lesion_finder", lambda run: LesionFinder(find, (), "a finder"))
    monkeypatch.setattr(prepare, "_check_lesion_run", lambda run: None)
    outcome = outcome_of(patient, lesion_run=Path("run"))
    if value:
        assert "found a mask of 100 % of the brain (1075 ml)" in str(outcome.errors[-1])
    else:
        assert "expected a lesion in the mask" in str(outcome.errors[0]) and "lesion_mask" not in outcome.files
        assert not (patient.parents[1] / "out" / "p1" / "lesion_mask.nii.gz").exists()


def test_help_is_quick_and_loads_nothing_heavy():
    import subprocess
    import sys

    code = "import sys; sys.argv = ['prepare', '--help']; import glioma_idh.prepare as p\n"
    code += "try: p.main()\nexcept SystemExit: print(sorted({'numpy', 'SimpleITK', 'nibabel'} & set(sys.modules)))"
    environment = os.environ | {"PYTHONUTF8": "1"}  # the help draws a frame
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", env=environment)
    assert ran.stdout.strip().endswith("[]"), ran.stderr
    assert "--lesion-run" in ran.stdout
