"""Canvas, pens, palettes and shading of synthetic drawings."""
