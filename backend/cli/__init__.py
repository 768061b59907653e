"""The commands of ``linewash``."""
