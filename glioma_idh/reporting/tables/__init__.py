"""Tables: of results, of comparisons, of the cohort and its splits; all of text cells.

`cohort`, `exclusions`, `splits` and `predictions` are the tables of a run. `metrics` is what
`evaluation.metrics.summarise` gives, `published` the paper's (mean, sd) of each score, sd None where it prints none,
and `printed` what the paper prints; `baselines` has the scores of answers that need no network, by their name.
"""
