"""Training data, tasks and export of mini."""
