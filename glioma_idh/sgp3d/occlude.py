"""Ask a finished run where its scores come from: python -m glioma_idh.sgp3d.occlude RUN_DIR

Every test subject is scored again by the network that never trained on it: as it is, with the lesion occluded, and with
the rest of the brain occluded. Nothing is trained. Writes the scores (predictions.csv), their AUC (metrics.json), a
figure, and for some subjects a map of what the score is the mean of. Lesions are those of the reference masks.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from glioma_idh.record import recorded


@dataclass(frozen=True)
class Occlusion:
    """Which run to ask, and what to draw of it."""

    run_dir: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="RUN_DIR")]
    """Folder of a finished run."""
    out: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = None
    """Where everything goes; by default RUN_DIR/occlusion."""
    num_maps: Annotated[int, tyro.conf.arg(metavar="N")] = 3
    """Subjects with a map: in turn the surest mutant called so, the surest wild-type called so, the surest mistake."""
    subjects: Annotated[tuple[str, ...], tyro.conf.arg(metavar="ID ...")] = ()
    """Whose maps to draw instead, by their ids in predictions.csv."""
    seed: int = 0
    """Of the voxels drawn to fill in."""
    quiet: bool = False
    """Show no progress."""

    def __post_init__(self):
        for name in ("run_dir", "out"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, Path(getattr(self, name)))


def main() -> None:
    """The command line."""
    config = (tyro.conf.FlagCreatePairsOff,)
    wanted = tyro.cli(Occlusion, prog="python -m glioma_idh.sgp3d.occlude", description=__doc__, config=config)
    with recorded("glioma_idh.sgp3d.occlude", wanted):
        from glioma_idh.sgp3d.attribution import occlude_run

        occlude_run(wanted)


if __name__ == "__main__":
    main()
