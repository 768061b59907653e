"""Networks of the ColorizeDiffusion systems."""
