"""Tables: of results, of comparisons, of the cohort and its splits."""
