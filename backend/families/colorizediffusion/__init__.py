"""ColorizeDiffusion v1 and v1.5: reference-based sketch coloring on a U-Net of Stable Diffusion 2.1's size."""
