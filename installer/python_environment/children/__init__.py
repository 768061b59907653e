"""Scripts that the environment's own Python runs: they import nothing of this project."""
