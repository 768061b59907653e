"""The training loop and its checkpoints, logs and batches, for every model."""
