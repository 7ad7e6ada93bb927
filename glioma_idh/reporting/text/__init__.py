"""Generated text: methods section, limitations, checklists, model card, and the command that repeats a run."""
