"""Text edits: changes of a reference's colors by words."""
