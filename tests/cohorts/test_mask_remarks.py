"""What is said of masks: odd ones each, what many have once, with the count."""

import numpy as np
import pytest

from glioma_idh.cohorts.scans import OTHER_BRAINS, TURNED, MaskRemarks, print_found, print_remarks, remarks_on
from glioma_idh.errors import InputError
from glioma_idh.imaging.masks import THRESHOLDED, Mask

FULL = MaskRemarks("a", (), (), True)


def test_each_odd_mask_has_a_line_and_what_many_have_one_for_all(capsys):
    odd = MaskRemarks("b", ("It is large.", "It is outside."), ("lesion mask",), False)
    print_remarks([FULL, odd, MaskRemarks("c", (), ("lesion mask", "brain mask"), True), MaskRemarks("d")])
    shown = capsys.readouterr()
    assert shown.out == "" and shown.err.splitlines() == [
        "b: It is large.",
        "b: It is outside.",
        "The lesion mask of 2 of 4 subjects contains probabilities, thresholded at 0.5 (b, c).",
        "The brain mask of 1 of 4 subjects contains probabilities, thresholded at 0.5 (c).",
        "In 2 of 4 subjects, the lesion fills more than half of the brain. Are the images cropped around the lesion?",
    ]


def test_nothing_is_said_of_good_masks_and_nothing_twice(capsys):
    said = set()
    print_remarks([MaskRemarks("a")])
    print_remarks([FULL], said)
    capsys.readouterr()
    print_remarks([FULL], said)
    assert capsys.readouterr().err == "" and said == {"a"}


def test_remarks_are_of_both_masks():
    lesion = np.zeros((4, 4, 4), np.uint8)
    lesion[0] = 1
    brain = np.arange(64).reshape(4, 4, 4) >= 8  # half of the lesion outside
    mask = Mask(lesion, np.eye(4))
    found = remarks_on("s", mask, brain, Mask(brain.astype(np.uint8), np.eye(4), remark=THRESHOLDED))
    told = "50 % of the lesion (0.008 ml) lie outside the brain: does the mask belong to this scan?"
    assert found.sentences == (told,)
    assert found.thresholded == ("brain mask",) and not found.fills_brain
    assert remarks_on("s", mask, np.arange(64).reshape(4, 4, 4) < 20).fills_brain
    with pytest.raises(InputError, match="m.nii: expected a lesion mask; found a mask of 100 % of the brain .0 ml."):
        remarks_on("s", Mask(lesion, np.eye(4), "m.nii"), lesion != 0)


def test_scans_of_other_axes_have_one_line_for_all(capsys):
    print_found({"a": "", "b": ""}, 2, TURNED)
    assert capsys.readouterr().err == ""
    print_found({"a": "", "b": "Mirrored.", **dict.fromkeys("cde", "Tall.")}, 9, TURNED)
    text = "4 of 9 subjects seem to have an image with other axes than its header states (b, c, d ...). b: Mirrored."
    assert capsys.readouterr().err.splitlines() == [text]


def test_scans_of_different_brains_have_one_line_for_all(capsys):
    print_found({"a": "", "b": ""}, 2, OTHER_BRAINS)
    assert capsys.readouterr().err == ""
    print_found({"a": "", "b": "t2.nii: Covers another brain."}, 2, OTHER_BRAINS)
    text = "1 of 2 subjects have sequences that cover different brains (b). b: t2.nii: Covers another brain."
    assert capsys.readouterr().err.splitlines() == [text]
