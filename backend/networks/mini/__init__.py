"""Networks of mini."""
