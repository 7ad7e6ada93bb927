"""What a network says of a prepared subject, with networks that say something simple."""

import numpy as np
import pandas as pd
import pytest

from glioma_idh.sgp3d import inference
from glioma_idh.sgp3d.cache import cache_cohort
from glioma_idh.sgp3d.inference import (
    FLIPS,
    predict_scans,
    predictions_table,
    reference_lesion,
    score_masks,
    score_subject,
)
from glioma_idh.sgp3d.preprocessing import Placement
from tests.conftest import save
from tests.sgp3d.conftest import GRID, write_four

SHAPE = (16, 16, 16)


class Bright:
    """Calls bright FLAIR a lesion with a probability of its own; its score is the mean of T1Gd through a sigmoid."""

    input_shape = (None, *SHAPE, 4)

    def __init__(self, probability=1.0, shift=0.0):
        self.probability, self.shift = probability, shift

    def predict_on_batch(self, scans):
        lesion = self.probability * (scans[..., 3] > 1.5).astype(np.float32)
        score = 1 / (1 + np.exp(-self.shift - scans[..., 1].max()))
        return {"idh": np.full((1, 1), score), "segmentation": np.stack([1 - lesion, lesion], axis=-1)}


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inference")
    table = pd.read_csv(write_four(folder, num_subjects=2, num_mutant=1), dtype={"subject": str})
    return cache_cohort(table.assign(cohort="csv"), SHAPE, jobs=1, quiet=True)[0]


@pytest.mark.parametrize(("probability", "found"), [(1.0, True), (0.51, True), (0.5, False), (0.4, False)])
def test_a_lesion_is_what_is_more_likely_lesion_than_not(cohort, probability, found):
    numbers, lesion = score_subject(Bright(probability), cohort.iloc[0], ("idh", "segmentation"))
    assert lesion.shape == GRID and lesion.any() == found
    if found:
        assert numbers["dice"] > 0.8 and numbers["num_lesions_found"] == 1
    else:
        assert numbers["dice"] == 0 and numbers["predicted_ml"] == 0


@pytest.mark.parametrize(
    ("learns", "names"),
    [
        (("idh",), {"score"}),
        (("segmentation",), {"dice", "hd95_mm", "volume_error_ml", "predicted_ml"}),
    ],
)
def test_only_what_was_learnt_is_scored(cohort, learns, names):
    numbers, lesion = score_subject(Bright(), cohort.iloc[0], learns)
    assert names <= numbers.keys() and ("score" in numbers) == ("idh" in learns)
    assert (lesion is not None) == ("dice" in numbers) == ("segmentation" in learns)


def test_a_table_has_a_row_a_subject_and_network_in_the_order_of_the_splits(cohort, tmp_path):
    splits = pd.DataFrame({"repeat": [1, 0, 0], "split": [0, 1, 0], "subject": "s", "part": "test"})
    splits.to_csv(tmp_path / "splits.csv", index=False)
    networks = [Bright(shift=shift) for shift in (-3, -2, -1)]
    table = predictions_table(cohort, networks, tmp_path, ("idh", "segmentation"))
    assert table["subject"].tolist() == ["s00"] * 3 + ["s01"] * 3
    assert list(zip(table["repeat"], table["split"], strict=True)) == [(0, 0), (0, 1), (1, 0)] * 2
    assert table["truth"].tolist() == [1] * 3 + [0] * 3 and (table["lesion_ml"] == 7 * 6 * 5 * 12 / 1000).all()
    for row, network in zip(table.itertuples(), networks * 2, strict=True):
        expected, _ = score_subject(network, cohort.set_index("subject", drop=False).loc[row.subject], ("idh",))
        assert row.score == expected["score"]
    assert table["score"].nunique() == 6
    assert predictions_table(cohort, networks, tmp_path, ("idh",))["dice"].isna().all()


def test_every_label_is_lesion_in_the_reference(tmp_path):
    labels = np.zeros((4, 5, 6))
    labels[1, 2, 3], labels[2, 2, 3], labels[3, 4, 5] = 1, 2, 4
    row = pd.Series({"subject": "s", "lesion_mask": save(tmp_path / "mask.nii.gz", labels, np.diag([-1, -1, 1, 1]))})
    reference = reference_lesion(row, Placement(None, (4, 5, 6), np.diag([-1.0, -1, 1, 1])))
    assert np.array_equal(reference, labels != 0)


def test_millimetres_are_those_of_each_axis_of_a_turned_grid():
    """The file's first axis runs from foot to head in steps of 5 mm, its last to the right in steps of 1 mm."""
    own_affine = np.array([[0.0, 0, 1, 0], [0, 2, 0, 0], [5, 0, 0, 0], [0, 0, 0, 1]])
    predicted, reference = np.zeros((2, 8, 8, 8))
    predicted[2:6, 2:6, 2:6], reference[2:5, 2:6, 2:6] = 1, 1  # one voxel too far along the first axis
    scores = score_masks(predicted, reference, Placement(None, (8, 8, 8), own_affine))
    assert scores["hd95_mm"] == 5 and scores["predicted_ml"] == pytest.approx(64 * 10 / 1000)
    assert scores["volume_error_ml"] == pytest.approx(16 * 10 / 1000)


class OfSlices:
    """Reads slices; its score of each is the brightness of its first voxel."""

    input_shape = (None, 2, 3, 4)

    def __init__(self):
        self.seen = []

    def predict_on_batch(self, slices):
        self.seen.append(slices)
        return {"idh": slices[:, 0, 0, :1]}


def test_a_network_of_slices_reads_those_of_the_lesion_in_every_flip_and_scores_by_their_mean():
    scans = np.broadcast_to(np.arange(40.0)[:, None], (2, 3, 40, 4)).copy()
    mask = np.zeros((2, 3, 40))
    mask[..., 5:21] = 1  # sixteen slices
    network = OfSlices()
    score, lesion = predict_scans(network, scans, FLIPS, mask)
    assert lesion is None and score == pytest.approx(np.arange(5, 21).mean())
    assert len(network.seen) == 8 and all(set(slices[:, 0, 0, 0]) == set(range(5, 21)) for slices in network.seen)


def test_a_network_without_a_genotype_has_no_score():
    class Segments(Bright):
        def predict_on_batch(self, scans):
            return {"segmentation": super().predict_on_batch(scans)["segmentation"]}

    score, lesion = predict_scans(Segments(), np.ones((*SHAPE, 4), np.float32))
    assert np.isnan(score) and lesion.shape == SHAPE and not inference.reads_slices(Segments())
