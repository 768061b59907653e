"""Backgrounds, props and comic panels."""
