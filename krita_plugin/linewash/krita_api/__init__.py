"""Krita's documents, layers and pixels as plain values."""
