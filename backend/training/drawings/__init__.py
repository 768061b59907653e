"""Training sets drawn by this project: lines, colour, figure mask, reference and the reference's mask."""
