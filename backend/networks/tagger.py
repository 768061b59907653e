"""The anime tagger whose features color references for XL: transformers' Swin Transformer V2 (spec XL 5.2)."""

from torch import Tensor, nn
from torch.nn import functional as F
from transformers import Swinv2Config, Swinv2Model


class Tagger(nn.Module):
    """Patch tokens of an image, after the last block and norm.  Full size: 86.9 M parameters without its list of tags."""

    def __init__(self, config: Swinv2Config, size: int) -> None:
        """size: the side of the square that it sees, in pixels; ``config`` has it, too."""
        super().__init__()
        self.swin = Swinv2Model(config, add_pooling_layer=False)
        self.size = size

    def forward(self, image: Tensor) -> Tensor:
        """An RGB image (B, 3, h, w) in -1..1 of any size -> tokens (B, n, C), row by row."""
        pixels = preprocess(image.float(), self.size)
        weight = self.swin.embeddings.patch_embeddings.projection.weight
        return self.swin(pixels.to(weight.dtype)).last_hidden_state


def preprocess(image: Tensor, size: int) -> Tensor:
    """RGB (B, 3, h, w) in -1..1 -> BGR (B, 3, size, size) in the same range; the aspect ratio may change."""
    resized = F.interpolate(image, size=(size, size), mode="bicubic", align_corners=True, antialias=True)
    return resized.flip(1)
