"""Images as arrays: ink, regions, masks, colors, sizes, PNG.  Nothing here imports torch."""
