"""Reading checkpoints of ColorizeDiffusion: names, shapes and configuration, and loading them into networks."""
