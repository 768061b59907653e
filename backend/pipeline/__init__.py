"""The way of one picture: prepare, condition, denoise, decode, layers; ``run`` chains them."""
