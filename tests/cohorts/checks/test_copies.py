"""Whose image it is cannot be told where two subjects have it: of those that train or test, the first stays."""

import numpy as np
import pandas as pd
import pytest

from glioma_idh.cohorts.checks.copies import hash_columns, images_in_both, print_shared_images, set_copies_aside


def cohort(**images: str) -> pd.DataFrame:
    """A row a letter of the hashes of each image, each subject a patient of its own."""
    num_subjects = len(next(iter(images.values())))
    subjects = [f"s{number}" for number in range(num_subjects)]
    hashes = [{name: hashes[number].strip() for name, hashes in images.items()} for number in range(num_subjects)]
    paths = {name: [f"{subject}/{name}.nii" for subject in subjects] for name in images}
    return pd.DataFrame({"subject": subjects, "patient": subjects} | paths | hash_columns(hashes))


@pytest.mark.parametrize(
    ("images", "kept"),
    [
        ({"t2": "xyz", "lesion_mask": "abc"}, ["s0", "s1", "s2"]),
        ({"t2": "xxz", "lesion_mask": "abc"}, ["s0", "s2"]),  # one scan with two masks
        ({"t2": "xyz", "lesion_mask": "aba"}, ["s0", "s1"]),  # one mask with two scans
        ({"t2": "xyz", "flair": "uxw", "lesion_mask": "abc"}, ["s0", "s2"]),  # one's T2 is the other's FLAIR
        ({"t2": "xyz", "flair": "xvw", "lesion_mask": "abc"}, ["s0", "s1", "s2"]),  # twice within a subject
        ({"t2": "xyz", "lesion_mask": "abc", "brain_mask": "uu "}, ["s0", "s1", "s2"]),  # of a template
    ],
)
def test_of_a_scan_or_lesion_mask_of_two_subjects_the_first_is_kept(images, kept):
    table = cohort(**images)
    numbers = np.arange(len(table))
    rows, left, errors = set_copies_aside(table, numbers)
    assert rows["subject"].tolist() == kept and rows.index.tolist() == list(range(len(kept)))
    assert [f"s{number}" for number in left] == kept
    assert [error.subject for error in errors] == sorted({*table["subject"]} - {*kept})
    one_patient, _ = set_copies_aside(table.assign(patient="p"))
    assert one_patient["subject"].tolist() == kept


def test_the_sentence_names_both_and_their_files():
    _, (error,) = set_copies_aside(cohort(t2="xyxz", lesion_mask="abad"))
    assert str(error) == (
        "s2: s2/t2.nii: expected T2 that no other subject has; found the same voxels as T2 of s0 (s0/t2.nii), and 1 "
        "more images like this. Whose image is it? If the two are one person, give them the same id in the column "
        "patient. Correct the path of the wrong file, or keep only one of the two subjects."
    )
    _, (error,) = set_copies_aside(cohort(t2="xyz", lesion_mask="aba").assign(patient="p"))
    assert "s2/lesion_mask.nii: expected the lesion mask that no other subject has; found" in str(error)
    assert "the lesion mask of s0 (s0/lesion_mask.nii). Are these two visits of one patient? Correct" in str(error)


@pytest.mark.parametrize(
    ("images", "idh", "kept"),
    [
        ({"t2": "xxz"}, [1, 0, 1], ["s2"]),
        ({"t2": "xxz"}, [1, 1, 0], ["s0", "s2"]),
        ({"t2": "xxz"}, [np.nan, 0, 1], ["s0", "s2"]),  # an unknown label contradicts nothing
        ({"t2": "xyz", "lesion_mask": "aba"}, [0, 0, 1], ["s1"]),
        ({"t2": "xxxw"}, [1, 1, 0, 0], ["s3"]),
        ({"t2": "xyz", "brain_mask": "uuu"}, [1, 0, 1], ["s0", "s1", "s2"]),
    ],
)
def test_of_one_image_with_contradictory_labels_no_subject_is_kept(images, idh, kept):
    table = cohort(**images).assign(idh=idh)
    rows, left, errors = set_copies_aside(table, np.arange(len(table)))
    assert rows["subject"].tolist() == kept and [f"s{number}" for number in left] == kept
    assert sorted(error.subject for error in errors) == sorted({*table["subject"]} - {*kept})


def test_the_contradiction_is_told_for_both_subjects():
    *_, (second, first) = set_copies_aside(cohort(t2="xyx").assign(idh=[1, 0, 0]))
    assert str(second) == (
        "s2: s2/t2.nii: expected one IDH status for one image, T2; found IDH-wild-type, but IDH-mutant for the same "
        "voxels, T2 of s0 (s0/t2.nii). Find out whose image it is and which label is right, and correct the table."
    )
    assert str(first).startswith("s0: s0/t2.nii: expected one IDH status for one image, T2; found IDH-mutant, but IDH")


def test_a_brain_mask_of_several_patients_is_told_in_one_line(capsys):
    print_shared_images(cohort(t2="xyz", brain_mask="ab "))
    print_shared_images(cohort(t2="xyz", brain_mask="aaa").assign(patient="p"))
    assert capsys.readouterr().err == ""
    print_shared_images(cohort(t2="xyz", brain_mask="aaa"))
    assert capsys.readouterr().err == (
        "The brain masks of 2 of 3 subjects have the same voxels as another patient's "
        "(s1: the brain mask of s0 (s0/brain_mask.nii)). Do they come from a template?\n"
    )


def test_one_image_as_two_sequences_of_a_subject_is_told_in_one_line(capsys):
    print_shared_images(cohort(t1="abc", t2="xyz", lesion_mask="abc"))  # a mask is no sequence
    assert capsys.readouterr().err == ""
    print_shared_images(cohort(t1="abc", t2="xbc"))
    assert capsys.readouterr().err == (
        "2 of 3 subjects have one image as two sequences (first: T2 of s1 (s1/t2.nii) has the same voxels as T1 of s1 "
        "(s1/t1.nii)). Check the paths.\n"
    )


def test_an_image_of_two_cohorts_is_found_whatever_the_subject_is_called():
    own = cohort(t2="xyz", lesion_mask="abc", brain_mask="mmm")
    other = cohort(t2="uyw", lesion_mask="cde", brain_mask="mmm")
    assert images_in_both(own, other) == {
        "s0": "the lesion mask of s2 (s2/lesion_mask.nii) is the lesion mask of s0 (s0/lesion_mask.nii)",
        "s1": "T2 of s1 (s1/t2.nii) is T2 of s1 (s1/t2.nii)",
    }
    assert images_in_both(own[["subject", "patient", "t2"]], other) == {}  # of a run that did not note them
