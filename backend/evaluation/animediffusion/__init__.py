"""Measuring AnimeDiffusion on faces it has not seen."""
