"""AnimeDiffusion: faces colored in pixel space after a bent reference."""
