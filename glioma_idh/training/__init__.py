"""The parts of training and prediction that both papers share.

job        where and how a training runs
settings   checks of the settings, the run key, and the default run folder
cohort     the training cohort, the external cohort, and excluded subjects
splits     the training and test set of each split; training several splits in parallel
callbacks  checkpoints, dropout that can be resumed, the progress bar
device     GPUs, processors, and the cost of a training
pipeline   a training from settings to results; each paper's `method.py` supplies its own steps
predict    shared parts of the two `predict` commands

Arguments that functions share, and that their docstrings do not repeat:

    recipe        settings that change the results
    job           settings that do not: paths, number of processes
    method        the paper's `pipeline.Method`
    trainings     the runs of one command
    cohort        the cohort to train on
    external      a second cohort, to test on
    table         cohort table of the subjects used
    errors        one per excluded subject
    sequences     internal names, such as "t1gd"
    folder        of a run
    key           the run key, from `settings.run_key`: two runs with equal keys are the same run
    old_defaults  values of settings that old run folders do not store
    jobs          number of trainings in parallel
    threads       number of threads of each training
    gpus          the available GPUs

An `InputError` says why an input cannot be used and what to do.
"""
