"""Figures, tables and reports.

`figures` draws, `tables` tabulates, `text` says, `sections` puts them together, `html` makes the page; `report` does
all of it for a finished run, and `names` holds what a score, a sequence or a log is called in print.
"""
