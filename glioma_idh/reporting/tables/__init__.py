"""Tables of text cells: results, comparisons, the cohort and its splits.

Arguments that several functions have: `cohort`, `exclusions`, `splits` and `predictions` are the tables of a run.
`metrics` is the result of `evaluation.metrics.summarise`. `published` holds the paper's (mean, standard deviation) of
each score, with None for a standard deviation that it does not print; `printed` says which results the paper prints;
`baselines` holds the scores of baselines without a network, by name.
"""
