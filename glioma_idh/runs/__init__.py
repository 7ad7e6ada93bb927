"""The run folder: `folder` names, writes and reads its files; `run` holds the one object that reads a run."""

from glioma_idh.runs.folder import *  # noqa: F403
