"""Training ColorizeDiffusion, stage by stage, on data in the published layout."""
