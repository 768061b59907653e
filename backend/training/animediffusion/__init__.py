"""Training AnimeDiffusion on faces: phase 1 learns to predict noise, phase 2 corrects tones through the whole sampler."""
