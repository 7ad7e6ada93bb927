"""Figures: each function returns a `matplotlib.figure.Figure` of its own."""
