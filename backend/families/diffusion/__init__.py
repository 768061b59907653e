"""What every diffusion model needs: samplers, solvers, noise schedule, denoiser, guidance, latent preview."""
