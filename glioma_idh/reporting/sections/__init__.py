"""The sections of a report: of scores alone, of a run's folder, of several runs."""
