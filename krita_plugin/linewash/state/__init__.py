"""What the docker shows of one document; no widgets."""
