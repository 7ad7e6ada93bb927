"""What the check of a cohort ends with: who can be used, how sure the result can be, and what to type."""

import pandas as pd
import pytest

from glioma_idh.cohorts.table import COLUMNS
from glioma_idh.evaluation.intervals import expected_auc_half_width
from glioma_idh.reporting.text.next_steps import next_steps, why_nobody

BOTH = "slice CNN, SGPNet"
FOUR = ("t1", "t1gd", "t2", "flair")


def cohort(mutants, wild_types, images=(*FOUR, "lesion_mask"), unknown=0):
    """A cohort table and its images, all readable."""
    status = ["1"] * mutants + ["0"] * wild_types + [""] * unknown
    rows = [
        dict.fromkeys(COLUMNS, "") | {"subject": f"s{n}", "patient": f"p{n}", "cohort": "c", "idh": idh}
        for n, idh in enumerate(status)
    ]
    table = pd.DataFrame(rows)
    columns = ["subject", "patient", "image", "refused", "voxel_hash"]
    scans = [(s, s, image, "", f"{image} of {s}") for s in table["subject"] for image in images]
    return table, pd.DataFrame(scans, columns=columns)


def test_a_cohort_that_allows_all():
    lines = next_steps(*cohort(56, 65), "out/cohort.csv").splitlines()
    half = float(expected_auc_half_width(121, 56 / 121, 0.8))
    prospects = (
        "56 IDH-mutant and 65 IDH-wild-type patients: up to 56 folds, or random hold-out with at least 5 mutants per "
        "test set (slice-CNN paper). If every patient is tested once, the expected 95 % confidence interval of an AUC "
        f"of 0.80 is about ± {half:.2f}."
    )
    assert lines[2:] == [
        f"Slice CNN, T1Gd: {prospects}",
        f"SGPNet: {prospects}",
        "Next command:",
        "  python -m glioma_idh.gbm2d.train --sequence T1Gd --cohort out/cohort.csv --splits kfold",
        "  python -m glioma_idh.sgp3d.train --cohort out/cohort.csv --splits kfold",
    ]
    assert half == pytest.approx(0.08, abs=0.01)


def test_a_small_cohort_gets_fewer_folds_and_is_told_what_cannot_be_told():
    text = next_steps(*cohort(3, 9), "my cohort.csv")
    assert "up to 3 folds. If" in text and "which includes 0.5 (chance)" in text
    assert '--cohort "my cohort.csv" --splits kfold --num-splits 3' in text
    assert "or random hold-out" not in next_steps(*cohort(5, 50), "c")
    assert "or random hold-out" in next_steps(*cohort(6, 50), "c")
    assert "chance" not in next_steps(*cohort(56, 65), "c")


def test_patients_count_and_not_visits():
    table, scans = cohort(4, 6)
    table["patient"] = ["a", "a", "b", "c", *"defghi"]
    assert "3 IDH-mutant and 6 IDH-wild-type patients" in next_steps(table, scans, "c")


def test_who_has_no_mask_or_cannot_be_read_is_not_counted():
    table, scans = cohort(5, 7)
    scans = scans[~((scans["subject"] == "s0") & (scans["image"] == "lesion_mask"))]
    scans.loc[(scans["subject"] == "s1") & (scans["image"] == "t2"), "refused"] = "slice CNN, SGPNet"
    slices, sgpnet = next_steps(table, scans, "c").splitlines()[2:4]
    told = "4 IDH-mutant and 7 IDH-wild-type patients (1 more without a usable lesion mask)"
    assert slices.startswith(f"Slice CNN, T1Gd: {told}")
    assert sgpnet.startswith("SGPNet: 3 IDH-mutant and 7 IDH-wild-type patients (1 more")


def test_of_one_image_with_two_labels_neither_subject_is_counted():
    table, scans = cohort(5, 7)
    scans.loc[(scans["subject"] == "s5") & (scans["image"] == "lesion_mask"), "voxel_hash"] = "lesion_mask of s4"
    assert "4 IDH-mutant and 6 IDH-wild-type patients" in next_steps(table, scans, "c")


def test_each_network_is_counted_by_its_own_refusals_and_copies():
    table, scans = cohort(5, 7)
    scans.loc[(scans["subject"] == "s0") & (scans["image"] == "lesion_mask"), "refused"] = "slice CNN"
    scans.loc[(scans["subject"] == "s1") & (scans["image"] == "t1gd"), "refused"] = "SGPNet"
    scans.loc[(scans["subject"] == "s2") & (scans["image"] == "flair"), "voxel_hash"] = "flair of s3"  # s3 comes later
    scans.loc[(scans["subject"] == "s6") & (scans["image"] == "lesion_mask"), "voxel_hash"] = "lesion_mask of s5"
    slices, sgpnet = next_steps(table, scans, "c").splitlines()[2:4]
    assert slices.startswith("Slice CNN, T1Gd: 4 IDH-mutant and 6 IDH-wild-type patients (1 more")
    assert sgpnet.startswith("SGPNet: 3 IDH-mutant and 6 IDH-wild-type patients:")
    nobody = scans.assign(refused=scans["image"].map({"t1": "SGPNet", "lesion_mask": "slice CNN"}).fillna(""))
    assert why_nobody(table, nobody).startswith("No subject can be used for training: no labelled subject has")


def test_the_sequence_of_most_patients_is_proposed_and_rcbv_first():
    table, scans = cohort(3, 3, ("rcbv", "flair", "lesion_mask"))
    assert "--sequence rCBV" in next_steps(table, scans, "c") and "sgp3d" not in next_steps(table, scans, "c")
    fewer = scans[~((scans["subject"] == "s0") & (scans["image"] == "rcbv"))]
    assert "--sequence FLAIR" in next_steps(table, fewer, "c")


@pytest.mark.parametrize(
    ("images", "unknown", "command"),
    [
        ((*FOUR, "lesion_mask"), 4, "gbm2d.predict"),
        (FOUR, 4, "sgp3d.predict"),
    ],
)
def test_who_cannot_be_learnt_from_can_be_predicted(images, unknown, command):
    text = next_steps(*cohort(1, 0, images, unknown), "c.csv")
    assert text.count("too few; at least 2 of each class are needed") == 2
    assert text.endswith(f"  python -m glioma_idh.{command} RUN_DIR --cohort c.csv")


@pytest.mark.parametrize("images", [(), FOUR[:3], ("lesion_mask",)])
def test_nothing_is_proposed_to_who_lacks_images(images):
    assert "Next command:" not in next_steps(*cohort(1, 0, images, 4), "c.csv")


def test_why_nobody_can_be_trained_on():
    table, scans = cohort(1, 0, unknown=1)
    assert why_nobody(table, scans) == ""  # one is too few, but somebody
    told = "No subject can be used for training: no labelled subject has both a usable scan and a usable lesion mask."
    for image in ("lesion_mask", "t1 t1gd t2 flair"):
        assert why_nobody(table, scans[~scans["image"].isin(image.split())]).startswith(told)
        assert why_nobody(
            table, scans.assign(refused=scans["image"].isin(image.split()).map({True: BOTH, False: ""}))
        ).startswith(told)
    unknown = table.assign(idh="")
    assert why_nobody(unknown, scans).startswith(
        "No subject can be used for training: the IDH status is unknown in all 2 "
    )
    found = why_nobody(table.assign(idh=["", "perhaps"]), scans)
    assert "none of 2 subjects has a usable IDH status. First error: s1: expected" in found
    assert "found 'perhaps'. Write mutant or wildtype" in found
