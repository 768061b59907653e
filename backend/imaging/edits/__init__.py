"""What a painter decides about a result: hints, and the selection that is colored anew."""
