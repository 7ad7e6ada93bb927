"""Figures, tables and reports.

`figures` draws, `tables` makes tables of text, `text` writes the methods section and other texts, `sections` combines
them, and `html` writes the page. `report` does all of it for a finished run. `names` holds the printed names of scores
and sequences.
"""
