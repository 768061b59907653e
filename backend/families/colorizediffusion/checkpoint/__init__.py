"""Checkpoints of ColorizeDiffusion: the names, shapes and configuration of their tensors, and how they are loaded."""
