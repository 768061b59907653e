"""Linewash's local coloring backend: networks, families, pipeline and server."""
