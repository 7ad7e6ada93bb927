"""The summary counts and lists what there is, with numbers worked out by hand."""

import numpy as np
import pandas as pd

from glioma_idh.cohorts.checks.summary import describe, describe_ignored, image_counts
from glioma_idh.cohorts.folders import Ignored
from glioma_idh.cohorts.table import COLUMNS

ROWS = [  # subject, patient, idh, t1gd, t2, lesion_mask
    ("a", "P", "1", "x", "x", "x"),
    ("b", "P", "mutant", "x", "x", ""),
    ("c", "c", "0", "x", "", "x"),
    ("d", "d", "", "x", "", "x"),
    ("e", "e", "perhaps", "x", "x", "x"),
    ("f", "f", "wt", "", "", ""),
]
TABLE = pd.DataFrame(
    [
        dict.fromkeys(COLUMNS, "")
        | {"subject": s, "patient": p, "cohort": "mine", "idh": idh, "t1gd": t1gd, "t2": t2, "lesion_mask": mask}
        for s, p, idh, t1gd, t2, mask in ROWS
    ]
)
SCANS = pd.DataFrame(
    [
        ("a", "t2", "", "raw", "skull-stripped", np.nan),
        ("b", "t2", "Is odd.", "z-scored", "", np.nan),
        ("e", "t2", "Is odder.", "raw", "skull-stripped", np.nan),
        ("a", "lesion_mask", "", "", "", 0.51),
        ("c", "lesion_mask", "Is empty.", "", "", 0.5),
    ],
    columns=["subject", "image", "problem", "intensities", "head", "share_of_brain"],
)


def test_images_are_counted_by_status():
    counts = image_counts(TABLE)
    assert list(counts.columns) == ["n", "mutant", "wild-type", "unknown", "unreadable"]
    assert counts.loc["subjects"].tolist() == [6, 2, 2, 1, 1]
    assert counts.loc["T1Gd"].tolist() == [5, 2, 1, 1, 1]
    assert counts.loc["T2"].tolist() == [3, 2, 0, 0, 1]
    assert counts.loc["lesion mask"].tolist() == [4, 1, 1, 1, 1]
    assert counts.loc[["T1", "FLAIR", "rCBV", "ADC", "brain mask"]].to_numpy().sum() == 0
    assert "unreadable" not in image_counts(TABLE[TABLE["idh"] != "perhaps"])
    troubled = image_counts(TABLE, SCANS)["with a problem"]
    assert troubled[troubled > 0].to_dict() == {"T2": 2, "lesion mask": 1}


def test_the_summary_says_who_and_what_is_there_and_what_is_missing():
    lines = describe(TABLE, [], SCANS).splitlines()
    assert lines[0] == "mine: 6 subjects of 5 patients, 5 with images"
    assert "no T2: 2 c, d" in lines and "no lesion mask: 1 b" in lines and "no image: 1 f" in lines
    assert not any(line.startswith("no T1") for line in lines)  # everybody has T1Gd, nobody T1
    start = lines.index("cannot be used: 1")
    assert lines[start + 1].startswith("  e: expected IDH as 0, 1") and "found 'perhaps'" in lines[start + 1]
    start = lines.index("images with a problem (all in cohort_check.csv): 3")
    assert lines[start + 1 : start + 4] == ["  b T2: Is odd.", "  e T2: Is odder.", "  c lesion mask: Is empty."]
    assert "lesions that fill more than half of the brain (images cropped around the lesion?): 1" in lines
    assert "intensities (estimated): 2 raw, 1 z-scored" in lines and "head (estimated): 2 skull-stripped" in lines


def test_long_lists_are_cut_and_counted():
    many = pd.concat([TABLE[:1].assign(subject=f"s{n}", t2="") for n in range(8)] + [TABLE[:1]], ignore_index=True)
    assert "no T2: 8 s0, s1, s2, s3, s4, and 3 more" in describe(many, []).splitlines()


def test_what_was_left_aside_is_counted_by_reason():
    ignored = [Ignored(f"{n}.nii", "not used: swi") for n in range(3)] + [Ignored("v", "a follow-up visit")]
    assert describe_ignored(ignored).splitlines() == [
        "Ignored: 4 files or visits",
        "  3 x not used: swi (0.nii, 1.nii ...)",
        "  1 x a follow-up visit (v)",
    ]
    assert describe(TABLE, ignored).endswith("(v)") and "Ignored" not in describe(TABLE, [])


def test_what_many_images_have_does_not_hide_what_one_has():
    common, rare = "Expected a stripped scan, found {}.2 ml.", "a_{}.nii has the same voxels as T1 of c."
    problems = [common.format(n) for n in range(20)] + [f"{common.format(20)} {rare.format(20)}"]
    scans = pd.DataFrame({"subject": [f"s{n}" for n in range(21)], "image": "t2", "problem": problems})
    scans = scans.assign(intensities="", head="", share_of_brain=np.nan)
    lines = describe(TABLE, [], scans).splitlines()
    start = lines.index("images with a problem (all in cohort_check.csv): 21")
    assert lines[start + 1] == f"  s20 T2: {problems[20]}" and lines[start + 2] == f"  s0 T2: {problems[0]}"
