"""Prepared subjects are made once, found by content, and whole or not there."""

import json
import threading
from pathlib import Path

import nibabel
import numpy as np
import pytest

from glioma_idh import cohorts
from glioma_idh.cohorts.checks.copies import set_copies_aside
from glioma_idh.cohorts.table import read_table
from glioma_idh.errors import InputError
from glioma_idh.sgp3d import cache
from glioma_idh.sgp3d.cache import (
    CachedSubject,
    cache_cohort,
    cache_subject,
    content_hash,
    print_mask_remarks,
)
from glioma_idh.sgp3d.preprocessing import prepare_subject

SHAPE = (16, 16, 16)


@pytest.fixture
def grey(tmp_path):
    """A function that gives the row of a subject whose T2 is 37 where it was 0."""

    def change(row):
        image = nibabel.load(row["t2"])
        array = image.get_fdata()
        path = tmp_path / "grey.nii.gz"
        nibabel.save(nibabel.Nifti1Image(np.where(array == 0, 37, array), image.affine), path)
        return row.replace(row["t2"], str(path))

    return change


@pytest.fixture
def table(make_four, tmp_path, monkeypatch):
    """The small cohort, and a cache of its own."""
    monkeypatch.setenv("GLIOMA_IDH_CACHE", str(tmp_path / "cache"))
    return read_table(make_four(num_subjects=3, num_mutant=1))


def test_what_is_stored_is_what_is_prepared(table):
    stored, fresh = cache_subject(table.iloc[0], SHAPE), prepare_subject(table.iloc[0], SHAPE)
    assert np.array_equal(stored.scans(), fresh.scans) and np.array_equal(stored.mask(), fresh.mask)
    assert isinstance(stored.scans(), np.memmap)
    assert stored.record["lesion_ml"] == fresh.lesion_ml == 7 * 6 * 5 * 12 / 1000
    assert stored.placement().box == fresh.placement.box and stored.placement().grid_shape == (24, 20, 18)
    assert np.array_equal(stored.placement().own_affine, fresh.placement.own_affine)


def test_a_second_time_it_is_only_found(table, monkeypatch):
    first = cache_subject(table.iloc[0], SHAPE)
    monkeypatch.setattr(cache, "prepare_subject", lambda *_: pytest.fail("prepared again"))
    assert cache_subject(table.iloc[0], SHAPE) == first


def test_what_must_be_said_of_a_mask_is_kept_with_the_subject(table, capsys):
    path = Path(table.loc[0, "lesion_mask"])
    image = nibabel.load(path)
    nibabel.save(nibabel.Nifti1Image(0.1 + 0.8 * (image.get_fdata() != 0), image.affine), path)
    for _ in range(2):  # prepared, then found
        usable, _ = cache_cohort(table, SHAPE, jobs=1, quiet=True)
        print_mask_remarks(usable)
        assert "1 of 3 subjects contains probabilities, thresholded at 0.5 (s00)." in capsys.readouterr().err
    assert usable["lesion_ml"].tolist() == pytest.approx([7 * 6 * 5 * 12 / 1000] * 3)


def test_scans_of_other_axes_are_kept_with_the_subject(table, monkeypatch, capsys):
    said = iter(["", "", "Mirrored."])
    monkeypatch.setattr("glioma_idh.sgp3d.preprocessing.find_wrong_axes", lambda array, spacing_mm: next(said, ""))
    for _ in range(2):  # prepared, then found
        usable, _ = cache_cohort(table, SHAPE, jobs=1, quiet=True)
        print_mask_remarks(usable)
        line = capsys.readouterr().err.strip()
        assert line.startswith(
            "1 of 3 subjects seem to have an image with other axes than its header states (s00). s00: "
        )
        assert line.endswith(".nii.gz: Mirrored.")


def test_a_scan_of_another_brain_is_kept_with_the_subject(table, capsys):
    image = nibabel.load(table.loc[0, "t2"])
    shifted = np.zeros(image.shape, np.float32)
    shifted[2:] = np.asarray(image.dataobj)[:-2]
    nibabel.save(nibabel.Nifti1Image(shifted, image.affine), table.loc[0, "t2"])
    for _ in range(2):  # prepared, then found
        usable, _ = cache_cohort(table, SHAPE, jobs=1, quiet=True)
        print_mask_remarks(usable)
        line = capsys.readouterr().err.strip()
        assert line.startswith(
            f"1 of 3 subjects have sequences that cover different brains (s00). s00: {table.loc[0, 't2']}"
        )
        assert ": Covers a different brain than T1, T1Gd and FLAIR (Dice 0." in line and len(usable) == 3


def test_a_subject_stored_before_scans_were_looked_at_is_looked_at_now(table, grey):
    """The former cache holds it under the same name; with skull it counts only where that is wanted."""
    row = grey(table.iloc[0])
    with pytest.raises(InputError, match="a background of 37 that is not 0"):
        cache_subject(row, SHAPE)
    stored = cache_subject(row, SHAPE, with_skull=True)
    assert cache_subject(row, SHAPE, with_skull=True) == stored
    for former in ({}, {"look": None, "with_skull": None}, {"look": 1, "with_skull": False}):
        note = json.loads((stored.folder / "note.json").read_text()) | former
        kept = {name: value for name, value in note.items() if value is not None}
        (stored.folder / "note.json").write_text(json.dumps(kept))
        with pytest.raises(InputError, match="a background of 37 that is not 0"):
            cache_subject(row, SHAPE)


def test_other_files_another_shape_and_half_a_subject_are_made_anew(table, tmp_path):
    first = cache_subject(table.iloc[0], SHAPE)
    assert cache_subject(table.iloc[1], SHAPE) != first != cache_subject(table.iloc[0], (32, 16, 16))
    (first.folder / "note.json").unlink()  # as a kill before the last file leaves it
    assert cache_subject(table.iloc[0], SHAPE) == first and (first.folder / "note.json").exists()
    moved = tmp_path / "elsewhere.nii.gz"
    moved.write_bytes(Path(table.loc[0, "t1"]).read_bytes())
    assert cache_subject(table.iloc[0].replace(table.loc[0, "t1"], str(moved)), SHAPE) == first


@pytest.mark.parametrize("column", ["t1", "t1gd", "t2", "flair", "lesion_mask"])
def test_each_file_counts_by_its_bytes(table, tmp_path, column):
    other = tmp_path / "other.nii.gz"
    other.write_bytes(Path(table.loc[1, column]).read_bytes())
    row = table.iloc[0]
    assert content_hash(row.replace(row[column], str(other)), SHAPE) != content_hash(row, SHAPE)


def test_files_that_change_places_shape_and_method_count_too(table, monkeypatch):
    row, hashes = table.iloc[0], []
    swapped = row.copy()
    swapped["t1"], swapped["t2"] = row["t2"], row["t1"]
    hashes = [content_hash(row, SHAPE), content_hash(swapped, SHAPE), content_hash(row, (16, 16, 32))]
    monkeypatch.setattr(cache, "VERSION", cache.VERSION + 1)
    assert len({*hashes, content_hash(row, SHAPE)}) == 4


def test_whoever_is_prepared_first_each_row_has_its_own_folder(table, monkeypatch):
    """The first subject is held back until the last one is done."""
    last_is_done, prepare = threading.Event(), cache.prepare_subject

    def in_another_order(row, shape, *how):
        if row["subject"] == "s00":
            assert last_is_done.wait(30)
        subject = prepare(row, shape, *how)
        if row["subject"] == "s02":
            last_is_done.set()
        return subject

    monkeypatch.setattr(cache, "prepare_subject", in_another_order)
    usable, errors = cache_cohort(table, SHAPE, jobs=3, quiet=True)
    assert usable["subject"].tolist() == ["s00", "s01", "s02"] and not errors
    assert [Path(folder).name for folder in usable["prepared"]] == [
        content_hash(row, SHAPE) for _, row in table.iterrows()
    ]
    assert usable["lesion_ml"].tolist() == pytest.approx([7 * 6 * 5 * 12 / 1000] * 3)


@pytest.mark.parametrize(("spare", "enough"), [(0, True), (-1, False)])
def test_a_tenth_of_the_room_for_all_will_do(monkeypatch, tmp_path, spare, enough):
    """4 bytes in each of 4 sequences and one of the mask, a voxel."""
    monkeypatch.setenv("GLIOMA_IDH_CACHE", str(tmp_path))
    free = 10 * 16**3 * 17 // 10 + spare
    monkeypatch.setattr(cache.shutil, "disk_usage", lambda _: type("Usage", (), {"free": free})())
    if enough:
        cache.check_room(10, SHAPE)
        return
    with pytest.raises(InputError, match="GB of disk space for the cache"):
        cache.check_room(10, SHAPE)


def test_a_cohort_goes_on_without_its_bad_subjects(table, tmp_path):
    Path(table.loc[1, "t2"]).write_bytes(b"nothing")
    table.loc[2, "flair"] = str(tmp_path / "nowhere.nii.gz")
    usable, errors = cache_cohort(table, SHAPE, jobs=1, quiet=True)
    assert usable["subject"].tolist() == ["s00"] and CachedSubject(tmp_path / usable.loc[0, "prepared"]).mask().any()
    assert [error.subject for error in errors] == ["s01", "s02"]
    assert "t2.nii.gz" in str(errors[0]) and "No such file" in errors[1].found


def test_no_room_in_the_cache(table, monkeypatch):
    monkeypatch.setattr(cache.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1000})())
    with pytest.raises(InputError, match=r"expected 0.0 GB of disk space for the cache; found 0.0 GB free"):
        cache_cohort(table, SHAPE, jobs=1, quiet=True)


def test_the_images_that_a_subject_was_prepared_from_stand_in_its_row(table):
    """As the check of cohorts calls them; found in the cache as well."""
    scans, _ = cohorts.check(table, jobs=1, quiet=True)
    expected = scans.set_index(["subject", "image"])["voxel_hash"].unstack()
    for _ in range(2):
        usable, _ = cache_cohort(table, SHAPE, jobs=1, quiet=True)
        found = usable.set_index("subject")[[f"{image}_voxel_hash" for image in expected]]
        assert found.to_numpy().tolist() == expected.to_numpy().tolist() and expected.stack().is_unique


def test_of_nobody_there_is_a_table_without_rows(table):
    usable, errors = cache_cohort(table.iloc[:0], SHAPE, jobs=1, quiet=True)
    assert list(usable) == [*table, "lesion_ml", "prepared"] and usable.empty and errors == []
    assert set_copies_aside(usable)[0].empty
