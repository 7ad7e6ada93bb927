"""The run folder. `folder` names, writes and reads its files, `networks` loads the trained networks, and
`run` has the class `Run`, which holds the results.

Arguments of the functions in `folder`: `folder` is the run folder; `index` is that of a split, from 0; `recipe` is the
run key, a dictionary of all settings that change results; `defaults` are values of settings that old run folders do
not store.
"""

from glioma_idh.runs.folder import *  # noqa: F403
