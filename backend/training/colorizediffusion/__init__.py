"""Training of the published colorers, stage by stage, on data in their layout."""
