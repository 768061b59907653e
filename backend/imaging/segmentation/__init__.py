"""From ink to regions, and from a soft mask to one that follows lines."""
