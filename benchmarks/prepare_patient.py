"""Time the preparation of one patient: four structural series of thick slices with skull, default settings.

    GLIOMA_IDH_DATA=FOLDER python benchmarks/prepare_patient.py

FOLDER contains `native_TCGA-FG-6692`, as for the tests. The preparation should take less than 90 s on two cores; if it
takes longer, the command ends with an error.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

from glioma_idh import prepare
from glioma_idh.preparation.settings import Settings

LONGEST_S = 90


def main() -> None:
    """Prepare the patient once."""
    source = Path(os.environ["GLIOMA_IDH_DATA"]) / "native_TCGA-FG-6692"
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        (outcome,) = prepare.run(prepare.Job(source, out=Path(folder)), Settings())
        seconds = time.perf_counter() - start
    print(f"{' '.join(outcome.files)}: {seconds:.0f} s")
    if seconds > LONGEST_S or outcome.errors:
        sys.exit(f"expected no error and at most {LONGEST_S} s")


if __name__ == "__main__":
    main()
