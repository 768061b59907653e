"""Foreground segmentation by weights that the painter adds."""
