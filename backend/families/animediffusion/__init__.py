"""AnimeDiffusion: faces colored in pixel space after a warped reference."""
