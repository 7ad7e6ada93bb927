"""Where and how a training runs; together with a paper's `Recipe`, the command line of its `train`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from glioma_idh.command_line import SWITCH, option


@dataclass(frozen=True)
class Job:
    """Where the data are and how the work is done; these options do not change the results."""

    images: Annotated[Path | None, option("DIR", "")] = None
    """Folder of the scans as downloaded. For a cohort table, the folder that its relative paths start from."""
    labels: Annotated[Path | None, option("FILE", "the labels shipped with the package")] = None
    """Label sheet as downloaded, or a CSV or XLSX file with the columns subject and idh."""
    external: Annotated[str | None, option("NAME", "")] = None
    """A second cohort to test the trained networks on. It must not share patients with the first."""
    external_images: Annotated[Path | None, option("DIR", "")] = None
    """Folder of the scans of the second cohort."""
    external_labels: Annotated[Path | None, option("FILE", "the labels shipped with the package")] = None
    """Label sheet of the second cohort."""
    run_dir: Annotated[Path | None, option("DIR", "a folder in runs/ named after the settings")] = None
    """Folder for the results. With several sequences, it holds one folder per sequence."""
    jobs: Annotated[int | None, option("INT", "number of CPU cores; 1 on a GPU or for large 3D networks")] = None
    """How many splits train in parallel."""
    quiet: Annotated[bool, SWITCH] = False
    """Show no progress bars or progress lines."""
    strict: Annotated[bool, SWITCH] = False
    """Stop at the first subject that cannot be used; without this option, such subjects are excluded and listed."""

    def __post_init__(self):
        for name in ("images", "labels", "external_images", "external_labels", "run_dir"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, Path(getattr(self, name)))
