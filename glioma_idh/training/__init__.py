"""What the trainings of both papers do alike.

job        where and how a training is run
settings   what a run is made of, and whether a folder can take it
cohort     whom to train on, whom to test on, and who is set aside
splits     who is trained on and tested in each split; the splits trained side by side
callbacks  the checkpoint that survives a kill, dropout that can be resumed, the progress bar
device     GPUs, processors, and what a training has cost
pipeline   from settings to results; each paper's `method.py` says what it does in its own way
predict    what both `predict` commands do alike

Throughout, `recipe` is what is computed and `job` where and how; `method` is the paper's `pipeline.Method`; `trainings`
are the runs of a command; `cohort` is the one to train on and `external` the one to test on; `table` is a cohort table
of those who are used, and `errors` has one a subject set aside; `sequences` are inside names; `folder` is that of a
run, whose `key` is what `settings.run_key` gives, and `former` what settings that are younger than a run were in it;
`jobs` counts the trainings at once and `threads` those of each; `gpus` are those that there are. An InputError
says why the input cannot be used and what to do.
"""
