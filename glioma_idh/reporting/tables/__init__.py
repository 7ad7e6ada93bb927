"""Tables of results, comparisons, the cohort and its splits; all cells are text.

`cohort`, `exclusions`, `splits` and `predictions` are the tables of a run. `metrics` is the result of
`evaluation.metrics.summarise`; `published` holds the (mean, sd) of each score in the paper, with sd None if it is not
published; `printed` says which scores the paper reports; `baselines` holds the scores of baselines without a network,
by name.
"""
