"""How good is it?  Figures beside plain baselines, and a sheet to look at."""
