"""Changing the colors of a reference by words."""
