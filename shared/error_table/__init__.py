"""The rows of the table of errors, by what they are about; ``shared.errors`` puts them together."""
