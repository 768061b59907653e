"""The program folder in the painter's home, where a release goes."""
