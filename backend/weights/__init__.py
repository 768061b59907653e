"""Model files: safetensors only, checked against their digests before they are read."""
