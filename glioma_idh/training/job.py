"""Where and how a training is run: with a paper's `Recipe` it is the command line of its `train`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro


@dataclass(frozen=True)
class Job:
    """Where and how it is run; changes no result."""

    images: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = None
    """Folder of scans as downloaded; for a cohort table, where its relative paths start."""
    labels: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """Label sheet as downloaded, or a CSV or XLSX with subject and idh; by default what is shipped."""
    external: Annotated[str | None, tyro.conf.arg(metavar="NAME")] = None
    """Second cohort to test the finished networks on; it must not share a patient with the first."""
    external_images: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = None
    """Its folder of scans."""
    external_labels: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """Its label sheet."""
    run_dir: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = None
    """Where results go; by default runs/ and a name made of the recipe; several sequences get a folder each in it."""
    jobs: Annotated[int | None, tyro.conf.arg(metavar="INT")] = None
    """Splits trained at once; by default one a processor, or 1 on a GPU and where a 3D step fills every processor."""
    quiet: bool = False
    """Show no progress: no bars at a terminal, no lines in a log."""
    strict: bool = False
    """Stop at the first subject that cannot be used, instead of setting it aside."""

    def __post_init__(self):
        for name in ("images", "labels", "external_images", "external_labels", "run_dir"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, Path(getattr(self, name)))
