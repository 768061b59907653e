"""What every latent diffusion model needs: samplers, solvers, noise schedule, denoiser, guidance, latent preview.

Nothing here knows a family.  "Spec" is ColorizeDiffusion's specification.
"""
