"""What the trainings of both papers have in common.

job        settings of where and how a training runs
settings   checks of the settings; the run key, and the default name of the run folder
cohort     the training cohort and the external test cohort; which subjects are excluded
splits     training and test sets, and the training of several splits in parallel
callbacks  checkpoints, reproducible dropout and the progress bar
device     GPUs, processors and the cost of a training
pipeline   the steps from settings to results; the `method.py` of each paper adds what is specific to it
predict    what the `predict` commands of both papers have in common

Arguments that several functions have, which their docstrings do not repeat: `recipe` says what is computed, `job` where
and how; `method` is the paper's `pipeline.Method`; `trainings` are the runs of a command; `cohort` is the training
cohort, `external` the external test cohort; `table` is the cohort table of the subjects used, and `errors` has one
error per excluded subject; `sequences` are names such as "t1gd"; `folder` is a run folder, `key` its run key
(`settings.run_key`), and `former` the values of settings that did not exist when an older run was made; `jobs` is the
number of parallel trainings, `threads` the number of threads of each; `gpus` are the GPUs found. An InputError says
why the input cannot be used and what to do.
"""
