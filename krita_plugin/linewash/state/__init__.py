"""What one document's docker shows and remembers; no widgets."""
