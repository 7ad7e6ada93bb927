"""From predictions tables to numbers. Knows neither scans nor networks.

Arguments that all functions share, and that their docstrings do not repeat:

    truth        1 IDH-mutant, 0 IDH-wild-type, one a patient, shape (n,)
    score        probability of mutation, shape (n,)
    predictions  predictions table: `subject, patient, repeat, split, truth, score`, and what was measured of masks
    cohort       cohort table: `subject, patient, idh`, and any of `grade, sex, site, age_years, lesion_ml`
    splits       `subject, repeat, split, part`, part being train or test, as in a run's `splits.csv`
    level        confidence level: how often such an interval holds the value in the population
    draws, seed  of a bootstrap: how many samples of patients, with replacement, and what they are drawn by

A bad table, truth or score is a ValueError of `checks`, which names the subject; so are tables that do not match and
arguments that are not in their range. An answer that is not available is NaN, with the `reason` in words; else "".
"""
