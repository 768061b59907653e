"""What is measured of a result: colors, edges, masks, and the image as a painter sees it."""
