"""Figures, tables and reports.

The figures lie here. `contents` is what a report reads out of a run folder, `words` what it says, `report` its
sections, `page` the HTML that they become.
"""
