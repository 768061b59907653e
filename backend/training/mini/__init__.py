"""Training of mini: examples, tasks, validation images and export."""
