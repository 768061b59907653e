"""ColorizeDiffusion: how checkpoints of its versions are recognized and opened."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from backend.contract.family import AnyColorModel, ForegroundSegmenter
from backend.families.checkpoints import CheckpointFamily
from backend.families.colorizediffusion.spec import defaults
from backend.families.colorizediffusion.versions import LATER_KINDS, VERSIONS, Version, name_warning
from backend.families.runtime.memory_plan import estimate_memory, fits, free_memory
from backend.families.runtime.number_format import choose_number_format, device_has_bfloat16
from backend.weights.companions import Companions
from shared.devices.device_status import NumberFormat

if TYPE_CHECKING:  # this loads transformers and diffusers
    from backend.families.colorizediffusion.checkpoint.loader import Parts

USUAL_ROWS = 2
"""Rows of a batch with guidance, which all versions have by default."""


def load_model(
    version: Version,
    path: Path,
    companions: Companions,
    device: str,
    segmenter: ForegroundSegmenter,
    number_format: NumberFormat = NumberFormat.AUTOMATIC,
) -> AnyColorModel:
    """The checkpoint at ``path``, ready to color.  Raises LinewashError: see ``load_parts``.

    The weights are read into main memory; each drawing then moves to ``device`` what its memory plan has room for.
    """
    # Imported here because they load transformers and diffusers, which take a second that mini does not need.
    from backend.families.colorizediffusion.checkpoint.loader import load_parts
    from backend.families.colorizediffusion.family import ColorizeDiffusion
    from backend.families.colorizediffusion.text.text_reader import TextReader

    numbers = choose_number_format(
        device, number_format, device_has_bfloat16, lambda: fits_float32(version, path, companions, free_memory("cpu"))
    )
    parts = use_channels_last(load_parts(path, companions, numbers.dtype, versions=(version,)))
    reader = None if parts.text is None or parts.tokenizer is None else TextReader(parts.text, parts.tokenizer, "cpu")
    warnings = tuple(sentence for sentence in (numbers.warning, name_warning(version, path.stem, parts.config)) if sentence)
    return ColorizeDiffusion(parts, segmenter, reader, device, warnings=warnings)


def fits_float32(version: Version, path: Path, companions: Companions, free: int | None) -> bool:
    """Whether checkpoint and a usual image fit into ``free`` bytes (None: not known) in float32.  Raises as ``load_parts``."""
    from backend.families.colorizediffusion.checkpoint.loader import count_weights

    counts = count_weights(path, companions, versions=(version,))
    step = sum(counts[part] for part in version.step_parts)
    side = int(defaults(version.spec.parameters)["size"])
    need = estimate_memory(4 * step, 4 * (sum(counts.values()) - step), side, USUAL_ROWS, width=4)
    return fits(free, need, side)


def use_channels_last(parts: Parts) -> Parts:
    """The same networks with channels last in memory, which makes convolutions faster (measured in docs/performance.md)."""
    for network in (parts.unet, parts.sketch_encoder, parts.vae):
        convolutional: Any = network  # torch's stubs lack this form of ``to``
        convolutional.to(memory_format=torch.channels_last)
    return parts


FAMILIES = (
    *LATER_KINDS,
    *(CheckpointFamily(version.kind, version.spec, partial(load_model, version), version.companions) for version in VERSIONS),
)
"""For the registry: what is recognized, and how to load it."""
