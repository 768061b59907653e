"""Linewash's local colouring backend: networks, families, pipeline and server."""
