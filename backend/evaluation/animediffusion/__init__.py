"""Measures AnimeDiffusion on held-out faces."""
