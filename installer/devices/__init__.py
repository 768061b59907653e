"""Which device PyTorch is to compute on, and which build of it that takes."""
