"""Training AnimeDiffusion: faces, their lines and themselves bent (phase 1), and tones through the whole sampler (phase 2)."""
