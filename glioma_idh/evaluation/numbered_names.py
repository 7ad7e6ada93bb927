"""Subjects whose names look like rows of fewer patients, such as p01_slice00, p01_slice01 ..."""

import pandas as pd

_NUMBERED = r"(?P<stem>.*?)(?P<number>\d+)(?:\.[A-Za-z][\w.]*)?"  # also before the ending of a file's name


def numbered_names(predictions: pd.DataFrame) -> dict | None:
    """Whether subjects are the same few names with the same numbers behind, each name of one truth.

    Args:
        predictions: `subject, truth`, of subjects whose patient is not given.

    Returns:
        `num_subjects`, `num_names` without the numbers, and `example`, a subject; None where the subjects do not look
        so: at least half of all pairs of a name and a number must be there, and fewer names than half of the subjects,
        but more than two, which may be the two classes (`MUT01`, `WT01`).
    """
    parts = predictions["subject"].str.extract(rf"^{_NUMBERED}$").assign(**predictions[["subject", "truth"]])
    subjects = parts.drop_duplicates("subject")
    num_names, num_numbers = subjects["stem"].nunique(), subjects["number"].nunique()
    all_numbered = subjects["stem"].notna().all() and num_names > 2 and num_numbers >= 2
    nearly_all_pairs = len(subjects) >= num_names * num_numbers / 2
    one_truth_each = (parts.groupby("stem")["truth"].nunique() <= 1).all()
    if not (all_numbered and nearly_all_pairs and num_names < len(subjects) / 2 and one_truth_each):
        return None
    return {"num_subjects": len(subjects), "num_names": num_names, "example": subjects["subject"].iloc[0]}
