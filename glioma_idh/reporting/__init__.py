"""Figures and tables, made from tables of numbers alone."""
