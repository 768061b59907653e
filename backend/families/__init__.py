"""One file per coloring system; ``registry`` knows them by name."""
