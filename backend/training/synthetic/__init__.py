"""Training sets drawn by this project: lines, color, figure mask, reference and the reference's mask."""
