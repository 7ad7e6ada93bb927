"""Images that stand under two subjects: one of them is somebody else's, or one person goes under two ids."""

from glioma_idh.cohorts.checks.names import NAMES
from glioma_idh.cohorts.checks.rows import Scan


def report_copies(scans: list[Scan]) -> None:
    """Report each image whose voxels an image of a subject before it has, whatever the files are called.

    Two visits of a patient may share a brain mask, as they do once they lie on one grid.

    Args:
        scans: images of a whole cohort, as `check_subject` gives them.
    """
    first = {}
    for scan in scans:
        identity = scan.row.get("voxel_hash", "")
        if not identity or scan.row.get("constant"):
            continue
        other = first.setdefault(identity, scan)
        one_patient = other.row["patient"] == scan.row["patient"]
        if other.row["subject"] == scan.row["subject"] or (one_patient and scan.image == "brain_mask"):
            continue
        question = "Are these two visits?" if one_patient else "Whose is it? One person needs one id in patient."
        where = f"{NAMES[other.image]} of {other.row['subject']} ({other.row['path']})"
        scan.report(f"also of {other.row['subject']}", f"{scan.row['path']} has the very voxels of {where}. {question}")
