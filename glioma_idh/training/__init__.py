"""What the trainings of both papers do alike.

job        where and how a training is run
settings   what a run is made of, and whether a folder can take it
cohort     whom to train on, whom to test on, and who is set aside
splits     who is trained on and tested in each split; the splits trained side by side
callbacks  the checkpoint that survives a kill, dropout that can be resumed, the progress bar
device     GPUs, processors, and what a training has cost
pipeline   from settings to results; each paper's `method.py` says what it does in its own way
predict    what both `predict` commands do alike
"""
