"""One file per colouring system; ``registry`` knows them by name."""
