"""Torch modules only: no files, no colour management, no arrays of numpy."""
