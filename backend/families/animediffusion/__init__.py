"""AnimeDiffusion: faces coloured in pixel space after a bent reference."""
