"""What a report reads out of a run folder: who was found and divided how, and who is worth a look."""
