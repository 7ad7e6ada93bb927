"""The trained networks of a run, one per split."""

from pathlib import Path
from typing import TYPE_CHECKING

from glioma_idh.errors import InputError
from glioma_idh.runs import folder as files

if TYPE_CHECKING:
    from glioma_idh.quiet_keras import keras


def network_files(folder: Path) -> list[Path]:
    """List the file of each split's network, in the order of `splits.csv`."""
    splits = files.list_splits(files.read_table(folder / files.SPLITS))
    return [files.split_folder(folder, index) / files.MODEL for index in range(len(splits))]


def load_network(file: Path) -> "keras.Model":
    """Load one network, not compiled, ready for `predict_on_batch`; InputError if the file cannot be read."""
    from glioma_idh.quiet_keras import keras  # TensorFlow takes seconds to load

    try:
        return keras.models.load_model(file, compile=False)
    except (OSError, ValueError) as error:
        found, advice = f"{type(error).__name__}: {error}", "Train the run again."
        raise InputError("a Keras network", found, advice, file=file) from error
