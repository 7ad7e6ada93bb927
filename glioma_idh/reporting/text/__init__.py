"""What a run says in words: methods, limits, checklists, model card, and the command that makes it again."""
