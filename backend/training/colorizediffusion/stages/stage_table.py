"""What each stage of training ColorizeDiffusion trains and freezes, and how it is run unless asked otherwise.

This is the one table: the stages take gradients by it, and docs/training-published.md shows it (a test compares the two).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from backend.families.colorizediffusion.spec import BACKGROUND, BOTH, STYLE, VANILLA
from backend.families.diffusion.denoiser import Prediction

PAIRS = "pairs"
"""The low-rank pairs of the U-Net's cross-attention: trained and frozen by themselves."""
_ENCODERS = ("vae", "image_encoder")
_BACKBONE = ("unet", "sketch_encoder")
_V15_PARTS = (PAIRS, "threshold_embedder", "token_transformer")
_BACKGROUND_PARTS = (PAIRS, "background_encoder", "warp_modules")
_STYLE_PARTS = ("style_encoder", "style_modules")


@dataclass(frozen=True)
class StageInfo:
    """One stage.  Parts are those of ``Parts.networks``; the low-rank pairs in the U-Net are a part of their own."""

    trained: tuple[str, ...]
    """Parts that learn."""
    frozen: tuple[str, ...]
    """The version's other parts."""
    sheet_mode: str
    """The mode in which validation images are colored."""
    learning_rate: float
    """Constant; v1's and v1.5's as published, v2's is that of its published successor."""
    needs_masks: bool = False
    """Whether foreground and background are told apart."""
    thresholds: tuple[float, float] = (0.05, 0.95)
    """Between these the thresholds of the masks are drawn."""
    prediction: Prediction | None = None
    """What is learned; None: what the start checkpoint predicts."""
    crops: str = "512x512"
    """Crop sizes, as the command line takes them."""
    load_size: int = 0
    """Largest side before cropping, exclusive; 0: an eighth above the crops."""
    max_border: int = 150
    """Most pixels of lines that are wiped at an edge."""
    min_side: int = 0
    """Smallest side of images that ``image_list*.json`` gives a resolution of, pixels."""

    @property
    def trains_backbone(self) -> bool:
        """Whether the U-Net itself learns."""
        return "unet" in self.trained

    @property
    def encodes_reference(self) -> bool:
        """Whether one of v2's encoders of references learns."""
        return "background_encoder" in self.trained or "style_encoder" in self.trained


_V2_RATE = 1e-5

V1 = StageInfo(_BACKBONE, _ENCODERS, VANILLA, 1e-5)
V15 = StageInfo(_V15_PARTS, (*_BACKBONE, *_ENCODERS), BOTH, 1e-4, needs_masks=True)
V2_BACKBONE = StageInfo(
    _BACKBONE,
    (*_BACKGROUND_PARTS, *_STYLE_PARTS, *_ENCODERS),
    VANILLA,
    _V2_RATE,
    prediction="v",
    crops="multi",
    load_size=1025,
    max_border=200,
    min_side=1024,
)
V2_BACKGROUND = StageInfo(
    _BACKGROUND_PARTS,
    (*_BACKBONE, *_STYLE_PARTS, *_ENCODERS),
    BACKGROUND,
    _V2_RATE,
    needs_masks=True,
    thresholds=(0.01, 0.99),
    crops="multi",
    load_size=1025,
    max_border=200,
    min_side=1024,
)
V2_STYLE = StageInfo(
    _STYLE_PARTS,
    (*_BACKBONE, *_BACKGROUND_PARTS, *_ENCODERS),
    STYLE,
    _V2_RATE,
    crops="multi",
    load_size=1025,
    max_border=200,
    min_side=1024,
)

STAGES: Mapping[str, StageInfo] = {
    "v1": V1,
    "v15": V15,
    "v2-backbone": V2_BACKBONE,
    "v2-background": V2_BACKGROUND,
    "v2-style": V2_STYLE,
}
"""By the name of its command; v2's are in the order of its stages 0, 1 and 2."""

OPTION_STAGES: Mapping[str, tuple[str, ...]] = {
    "noisy_reference": ("v1", "v2-backbone"),
    "erase_mask": ("v15", "v2-background"),
    "white_background": ("v2-background",),
    "background_context": ("v2-background",),
    "merge_masks": ("v2-background",),
}
"""Options of the command line that mean something to these stages alone; the others refuse them."""
