"""Training sets drawn by this project: lines, colors, foreground mask, reference, and the mask of the reference."""
