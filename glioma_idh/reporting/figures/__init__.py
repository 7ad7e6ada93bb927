"""Figures: each function returns a new `matplotlib.figure.Figure`.

Common arguments: `synthetic` says that the subjects are synthetic, or that the networks were trained on synthetic data;
the figure then says so at its foot. `subject` is an id, `sequence` an internal name. `scores` are probabilities of an
IDH mutation. `published` holds the (mean, sd) of the paper, with None for an sd that is not published. Sizes are in
inches. `..._alt` gives the numbers of a figure in words (alternative text). A new figure is a module here, and a
`Picture` in the section of the report that shows it.
"""
