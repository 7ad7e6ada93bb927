"""Labels and ids of public cohorts, one CSV each; see README.md."""
