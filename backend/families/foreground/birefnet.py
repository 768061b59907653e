"""Foreground masks by BiRefNet weights that the painter has installed, RMBG-2.0 among them (spec 18, "Masks")."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import cast, get_args

import numpy as np
import torch
from torch.nn import functional as F

from backend.families.foreground.isnet import SIDE, dilate_mask
from backend.families.foreground.published_weights import load_published
from backend.imaging.types import Gray, Rgb
from backend.networks.segmentation.birefnet import (
    LEVELS,
    SIDE_MULTIPLE,
    BiRefNet,
    BiRefNetSizes,
    DecoderBlockSizes,
    PatchEncoderSizes,
    PatchOrder,
)
from backend.networks.segmentation.swin import StageSizes, SwinSizes
from backend.weights.detection import birefnet_prefix
from backend.weights.state_dict import Shapes, axis_length, count_children, read_sidecar_json
from shared.errors import ErrorCode, LinewashError

MEAN, STANDARD_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's colors, red, green and blue 0 to 1."""
ALLOWED_SIDES = range(SIDE_MULTIPLE, 4096 + 1, SIDE_MULTIPLE)
"""Sides of the network's square input that a sidecar file may ask for, pixels."""
TRAINING_ONLY_PREFIXES = ("decoder.conv_ms_spvn_", "decoder.gdt_convs_pred_")
"""Prefixes of names, after the file's own prefix, of what only training needs."""
_COMPUTED_SUFFIX = ".relative_position_index"
"""Suffix of the names of tables that are computed from the window's side."""
_BLOCKS = {5: "squeeze_module.0.", **{step: f"decoder.decoder_block{step}." for step in (*LEVELS, 1)}}
"""Prefix of each decoder block by its step; 5 is the block before the decoder."""
_STAGES = range(4)


@dataclass(frozen=True)
class SidecarOptions:
    """What the tensors do not tell, from the JSON file beside the checkpoint.  The defaults are RMBG-2.0's."""

    patch_order: PatchOrder = "columns"
    """See ``PatchOrder``."""
    side: int = SIDE
    """Side of the network's square input, pixels."""


class BiRefNetSegmenter:
    """Segments references as RMBG-2.0's own example and ColorizeDiffusion do."""

    def __init__(self, network: BiRefNet, side: int) -> None:
        self._network, self._side = network, side

    @torch.inference_mode()
    def __call__(self, rgb: Rgb) -> Gray:
        """(h, w) foreground mask 0..255 of an image (h, w, 3), dilated as ``dilate_mask`` says.

        The network sees the image stretched to a square and normalized by ImageNet's mean and standard deviation.
        """
        height, width = rgb.shape[:2]
        image = torch.from_numpy(rgb.astype(np.float32).transpose(2, 0, 1) / 255)[None]
        square = F.interpolate(image, size=(self._side, self._side), mode="bilinear", align_corners=False, antialias=True)
        mean, deviation = (torch.tensor(values).view(3, 1, 1) for values in (MEAN, STANDARD_DEVIATION))
        share = self._network((square - mean) / deviation).sigmoid()
        share = F.interpolate(share, size=(height, width), mode="bicubic", align_corners=False, antialias=True)
        # Bicubic interpolation overshoots.
        return dilate_mask((share[0, 0].clamp(0, 1) * 255).round().to(torch.uint8).numpy())


def load_segmenter(path: Path, device: str = "cpu") -> BiRefNetSegmenter:
    """The segmenter of a checkpoint.  Raises LinewashError as ``load_birefnet`` and ``read_sidecar`` do."""
    options = read_sidecar(path)
    return BiRefNetSegmenter(load_birefnet(path, options.patch_order, device), options.side)


def read_sidecar(checkpoint: Path) -> SidecarOptions:
    """What the JSON file beside a checkpoint says (``NAME.json`` for ``NAME.safetensors``), with defaults for the rest.

    Raises LinewashError MODEL_KEYS: for an unknown name or a value that is not allowed.
    """
    entries = read_sidecar_json(checkpoint)
    order, side = entries.pop("patch_order", SidecarOptions.patch_order), entries.pop("side", SidecarOptions.side)
    if entries or order not in get_args(PatchOrder) or type(side) is not int or side not in ALLOWED_SIDES:
        expected = (
            f"patch_order {' or '.join(get_args(PatchOrder))}, side a multiple of {SIDE_MULTIPLE} up to {ALLOWED_SIDES[-1]}"
        )
        raise LinewashError(ErrorCode.MODEL_KEYS, f"{checkpoint.stem}.json: not an object of {expected}")
    return SidecarOptions(cast(PatchOrder, order), side)


def load_birefnet(path: Path, order: PatchOrder = "columns", device: str = "cpu") -> BiRefNet:
    """BiRefNet with the weights of ``path``; widths, depths and heads are read from the shapes.

    See ``load_published`` for the errors and how the network is called.
    """

    def build(shapes: Shapes, prefix: str) -> BiRefNet:
        return BiRefNet(_sizes(shapes, prefix), order)

    return load_published(path, birefnet_prefix, build, _ignored, device)


def _ignored(name: str) -> bool:
    return name.startswith(TRAINING_ONLY_PREFIXES) or name.endswith(_COMPUTED_SUFFIX)


def _sizes(shapes: Shapes, prefix: str) -> BiRefNetSizes:
    def length(name: str, axis: int = 0) -> int:
        return axis_length(shapes, f"{prefix}{name}.weight", axis)

    def block(start: str) -> DecoderBlockSizes:
        parallel = f"{start}dec_att.aspp_deforms."
        kernels = (
            length(f"{parallel}{i}.atrous_conv.regular_conv", 2) for i in range(count_children(shapes, prefix + parallel))
        )
        planes = length(f"{start}dec_att.aspp1.atrous_conv.regular_conv")
        return DecoderBlockSizes(length(f"{start}conv_in"), planes, tuple(kernels))

    def patch_encoder(start: str) -> PatchEncoderSizes:
        return PatchEncoderSizes(length(f"{start}conv1"), length(f"{start}conv_out"))

    return BiRefNetSizes(
        _backbone(shapes, f"{prefix}bb."),
        {step: block(start) for step, start in _BLOCKS.items()},
        {step: patch_encoder(f"decoder.ipt_blk{step}.") for step in _BLOCKS},
        {step: length(f"decoder.gdt_convs_{step}.0") for step in LEVELS},
    )


def _backbone(shapes: Shapes, prefix: str) -> SwinSizes:
    stages = [f"{prefix}layers.{level}.blocks." for level in _STAGES]
    tables = [f"{stage}0.attn.relative_position_bias_table" for stage in stages]
    rows = axis_length(shapes, tables[0])
    return SwinSizes(
        axis_length(shapes, f"{prefix}patch_embed.proj.weight"),
        (math.isqrt(rows) + 1) // 2,  # the table has (2 window - 1)² rows
        tuple(
            StageSizes(
                count_children(shapes, stage), axis_length(shapes, table, 1), axis_length(shapes, f"{stage}0.mlp.fc1.weight")
            )
            for stage, table in zip(stages, tables, strict=True)
        ),
    )
