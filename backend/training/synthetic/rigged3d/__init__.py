"""Drawings of rigged 3D characters."""
