"""Training of the published colourers, stage by stage, on data in their layout."""
