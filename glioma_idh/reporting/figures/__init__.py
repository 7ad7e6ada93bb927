"""Figures. Each function returns a new `matplotlib.figure.Figure`; `glioma_idh.figures` lists the public ones.

Arguments that several functions have: `synthetic` is true if the subjects, or the training subjects of the networks,
are synthetic; the figure then says so. `subject` is an id, `sequence` a name such as "t1gd", `scores` are probabilities
of a mutation. `published` holds results printed in the paper, (mean, standard deviation or None). Sizes are in inches.
A function `..._alt` returns the alternative text of a figure, with its numbers. A new figure is a module here, and a
`Picture` in the section of the report that shows it.
"""
