"""AnimeDiffusion: how its checkpoints are recognized and opened."""

from pathlib import Path

from backend.contract.family import AnyColorModel, ForegroundSegmenter
from backend.families.animediffusion.spec import SPEC
from backend.families.checkpoints import CheckpointFamily
from backend.weights.companions import Companions
from backend.weights.detection import CheckpointKind
from shared.devices.device_status import NumberFormat


def load(
    path: Path, companions: Companions, device: str, segmenter: ForegroundSegmenter, number_format: NumberFormat
) -> AnyColorModel:
    """A checkpoint, ready to color, always in float32; it needs no companions.  LinewashError: see ``loader.load_unet``."""
    # here, because these import torch's networks and diffusers' schedulers, which a painter who uses mini need not wait for
    from backend.families.animediffusion.family import AnimeDiffusion
    from backend.families.animediffusion.loader import load_unet

    return AnimeDiffusion(load_unet(path, device), segmenter)


FAMILY = CheckpointFamily(CheckpointKind("animediffusion", ("denoise_fn.",)), SPEC, load)
