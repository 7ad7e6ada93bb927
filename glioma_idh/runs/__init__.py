"""The run folder: `folder` names, writes and reads its files; `run` holds the one object that reads a run.

In the functions of `folder` a `folder` is that of a run, an `index` that of a split, from 0, a `recipe` every setting
that changes a result, and `defaults` what settings that are younger than a run were in it.
"""

from glioma_idh.runs.folder import *  # noqa: F403
