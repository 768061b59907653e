"""ColorizeDiffusion v1, v1.5 and v2: reference-based sketch coloring on a U-Net of Stable Diffusion 2.1's size."""
