"""Figure masks by BiRefNet weights that the painter has installed, RMBG-2.0 among them (spec 18, "Masks")."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import cast, get_args

import numpy as np
import torch
from torch.nn import functional as F

from backend.families.foreground.isnet import SIDE, dilate_mask
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
from backend.weights.safetensors_file import SafetensorsFile
from backend.weights.state_dict import (
    Shapes,
    WeightSource,
    build_on_meta,
    check_state_dict,
    count_children,
    load_state_dict,
    read_sidecar_json,
    size,
)
from shared.errors import ErrorCode, LinewashError

MEAN, STANDARD_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's colors, 0 to 1."""
ALLOWED_SIDES = range(SIDE_MULTIPLE, 4096 + 1, SIDE_MULTIPLE)
"""Sides of the square that a description may ask for."""
TRAINING_ONLY_PREFIXES = ("decoder.conv_ms_spvn_", "decoder.gdt_convs_pred_")
"""Beginnings of names, after the prefix, of what only training needs."""
_COMPUTED_SUFFIX = ".relative_position_index"
"""End of the names of tables that follow from the window's side."""
_BLOCKS = {5: "squeeze_module.0.", **{step: f"decoder.decoder_block{step}." for step in (*LEVELS, 1)}}
_STAGES = range(4)


@dataclass(frozen=True)
class SidecarOptions:
    """What tensors do not tell.  The defaults are RMBG-2.0's.

    patch_order: see ``PatchOrder``.  side: of the square the network sees, in pixels.
    """

    patch_order: PatchOrder = "columns"
    side: int = SIDE


class BiRefNetSegmenter:
    """Finds the figure of a reference as RMBG-2.0's own example and ColorizeDiffusion do."""

    def __init__(self, network: BiRefNet, side: int, device: str) -> None:
        self._network, self._side, self._device = network, side, device

    @torch.inference_mode()
    def __call__(self, rgb: Rgb) -> Gray:
        """(h, w) figure mask 0..255 of a picture (h, w, 3), grown as ``grown`` says.

        The network sees the picture squashed to a square, as far from ImageNet's mean color as its colors are wont to be.
        """
        height, width = rgb.shape[:2]
        picture = torch.from_numpy(rgb.astype(np.float32).transpose(2, 0, 1) / 255)[None]
        seen = F.interpolate(picture, size=(self._side, self._side), mode="bilinear", align_corners=False, antialias=True)
        mean, deviation = (torch.tensor(values).view(3, 1, 1) for values in (MEAN, STANDARD_DEVIATION))
        share = self._network(((seen - mean) / deviation).to(self._device)).sigmoid().cpu()
        share = F.interpolate(share, size=(height, width), mode="bicubic", align_corners=False, antialias=True)
        return dilate_mask((share[0, 0].clamp(0, 1) * 255).round().to(torch.uint8).numpy())


def load_segmenter(path: Path, device: str = "cpu") -> BiRefNetSegmenter:
    """The finder of a file.  Raises LinewashError as ``load_birefnet`` and ``read_description`` do."""
    description = read_sidecar(path)
    return BiRefNetSegmenter(load_birefnet(path, description.patch_order, device), description.side, device)


def read_sidecar(checkpoint: Path) -> SidecarOptions:
    """What the JSON file beside a checkpoint says (``NAME.json`` for ``NAME.safetensors``), the defaults where it is silent.

    Raises LinewashError MODEL_KEYS when it says what cannot be.
    """
    found = read_sidecar_json(checkpoint)
    order, side = found.pop("patch_order", SidecarOptions.patch_order), found.pop("side", SidecarOptions.side)
    if found or order not in get_args(PatchOrder) or type(side) is not int or side not in ALLOWED_SIDES:
        known = f"patch_order {' or '.join(get_args(PatchOrder))}, side a multiple of {SIDE_MULTIPLE} up to {ALLOWED_SIDES[-1]}"
        raise LinewashError(ErrorCode.MODEL_KEYS, f"{checkpoint.stem}.json: not an object of {known}")
    return SidecarOptions(cast(PatchOrder, order), side)


def load_birefnet(path: Path, order: PatchOrder = "columns", device: str = "cpu") -> BiRefNet:
    """The network with the weights of ``path``, float32, frozen; widths, depths and heads are read from the shapes.

    Raises LinewashError: what ``SafetensorsFile`` raises, MODEL_KEYS with names that are missing, unexpected or of another
    shape.
    """
    with SafetensorsFile(path) as file:
        prefix = birefnet_prefix(file.entries)
        network = build_on_meta(lambda: BiRefNet(_sizes(file.shapes, prefix), order))

        def names(key: str) -> WeightSource:
            return WeightSource(prefix + key)

        inner = {name: name.removeprefix(prefix) for name in file.entries}
        unread = [
            name for name, key in inner.items() if key.startswith(TRAINING_ONLY_PREFIXES) or key.endswith(_COMPUTED_SUFFIX)
        ]
        check_state_dict(file, [(network, names)], unread)
        load_state_dict(
            file, network, names, lambda key: torch.int64 if key.endswith("num_batches_tracked") else torch.float32, device
        )
    return network


def _sizes(shapes: Shapes, prefix: str) -> BiRefNetSizes:
    def length(name: str, axis: int = 0) -> int:
        return size(shapes, f"{prefix}{name}.weight", axis)

    def block(start: str) -> DecoderBlockSizes:
        parallel = f"{start}dec_att.aspp_deforms."
        kernels = (
            length(f"{parallel}{i}.atrous_conv.regular_conv", 2) for i in range(count_children(shapes, prefix + parallel))
        )
        planes = length(f"{start}dec_att.aspp1.atrous_conv.regular_conv")
        return DecoderBlockSizes(length(f"{start}conv_in"), planes, tuple(kernels))

    def patches(start: str) -> PatchEncoderSizes:
        return PatchEncoderSizes(length(f"{start}conv1"), length(f"{start}conv_out"))

    return BiRefNetSizes(
        _backbone(shapes, f"{prefix}bb."),
        {step: block(start) for step, start in _BLOCKS.items()},
        {step: patches(f"decoder.ipt_blk{step}.") for step in _BLOCKS},
        {step: length(f"decoder.gdt_convs_{step}.0") for step in LEVELS},
    )


def _backbone(shapes: Shapes, prefix: str) -> SwinSizes:
    stages = [f"{prefix}layers.{level}.blocks." for level in _STAGES]
    tables = [f"{stage}0.attn.relative_position_bias_table" for stage in stages]
    rows = size(shapes, tables[0])
    return SwinSizes(
        size(shapes, f"{prefix}patch_embed.proj.weight"),
        (math.isqrt(rows) + 1) // 2,  # the table has (2 window - 1)² rows
        tuple(
            StageSizes(count_children(shapes, stage), size(shapes, table, 1), size(shapes, f"{stage}0.mlp.fc1.weight"))
            for stage, table in zip(stages, tables, strict=True)
        ),
    )
