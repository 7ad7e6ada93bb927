"""Figures, tables and reports.

`figures`, `tables` and `text` make the parts of a report, `sections` combines them, `html` writes the page, and
`report` does all of this for finished runs. `names` holds the printed names of scores and logs.
"""
