"""Torch modules only: no files, no color management, no arrays of numpy."""
