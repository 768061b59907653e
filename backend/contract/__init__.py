"""What families and pipeline agree on: the drawing, and what a color model must offer."""
