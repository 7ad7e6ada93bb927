"""Run folders: `folder` names, writes and reads the files, `networks` loads the networks, `run` holds the results.

Arguments of the functions in `folder`: `folder` is a run folder, `index` the number of a split, counted from 0,
`recipe` all settings that change a result, and `defaults` the values of settings that did not exist when an older run
was made.
"""

from glioma_idh.runs.folder import *  # noqa: F403
