"""Figures: each function returns a `matplotlib.figure.Figure` of its own.

What all of them share: `synthetic` says that the subjects are phantoms, or that the networks learned from phantoms, and
the figure then says so at its foot; `subject` is an id, `sequence` an inside name, `scores` are probabilities of
mutation; `published` holds what the paper prints, (mean, sd) with None for an sd that it does not; sizes are inches.
`..._alt` says the numbers of a figure in words, for those who cannot see it. A new figure is a module here, and a
`Picture` in the section of the report that shows it.
"""
