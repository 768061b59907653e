"""What the painter fixes: hints, and the selection that is colored anew."""
