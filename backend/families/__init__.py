"""One folder for each coloring system; ``registry`` knows them by name."""
