"""What computes: the messages about it, and graphics cards found without torch."""
