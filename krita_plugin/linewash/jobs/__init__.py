"""Everything that talks to the backend, in threads."""
