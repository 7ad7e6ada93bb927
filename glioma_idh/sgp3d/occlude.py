"""Show which image regions the scores of a finished run come from.

Example: python -m glioma_idh.sgp3d.occlude RUN_DIR

Every test subject is scored again by the network that was not trained on it: unchanged, with the lesion occluded, and
with the rest of the brain occluded. The lesions are those of the reference masks. Nothing is trained. Writes the scores
(predictions.csv), their AUC (metrics.json), a figure and, for some subjects, a contribution map: averaged over all
voxels, it gives the score as log-odds.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from glioma_idh.command_line import SWITCH, option, parse
from glioma_idh.record import recorded


@dataclass(frozen=True)
class Occlusion:
    """The run, and which maps to draw."""

    run_dir: Annotated[Path, tyro.conf.Positional, option("RUN_DIR")]
    """Folder of a finished run."""
    out: Annotated[Path | None, option("DIR", "RUN_DIR/occlusion")] = None
    """Folder for the results."""
    num_maps: Annotated[int, option("N")] = 3
    """Number of maps. Cycles through: most confident correct mutant, correct wild-type, wrong answer."""
    subjects: Annotated[tuple[str, ...], option("ID [ID ...]", "")] = ()
    """Draw the maps of these subjects instead; ids as in predictions.csv."""
    seed: int = 0
    """Random seed for the voxel values that replace occluded ones."""
    quiet: Annotated[bool, SWITCH] = False
    """Show no progress bars or progress lines."""

    def __post_init__(self):
        for name in ("run_dir", "out"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, Path(getattr(self, name)))


OPTIONS = Occlusion


def main() -> None:
    """Run the command."""
    wanted = parse(OPTIONS, "glioma_idh.sgp3d.occlude", __doc__)
    with recorded("glioma_idh.sgp3d.occlude", wanted):
        from glioma_idh.sgp3d.attribution import occlude_run

        occlude_run(wanted)


if __name__ == "__main__":
    main()
