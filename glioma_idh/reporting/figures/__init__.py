"""Figures: each function returns a `matplotlib.figure.Figure` of its own.

What all of them share: `synthetic` says that the subjects are phantoms, or that the networks learned from phantoms, and
the figure then says so at its foot; `..._alt` says the numbers of a figure in words, for those who cannot see it. A new
figure is a module here, and a `Picture` in the section of the report that shows it.
"""
