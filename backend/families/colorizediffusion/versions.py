"""The generations of ColorizeDiffusion, newest first."""

from backend.families.checkpoints import CheckpointFamily
from backend.families.colorizediffusion import v1, v15
from backend.weights.detection import CheckpointKind

_COMMON = ("model.", "first_stage_model.", "control_encoder.")
_SECOND = ("bg_encoder.", "style_encoder.", "model.diffusion_model.warp_modules.")
_XL = ("proj.", "model.diffusion_model.label_emb.")

LATER_KINDS = (
    CheckpointKind("xlv2", (*_COMMON, "bg_encoder."), _XL),
    CheckpointKind("xl", _COMMON, _XL),
    CheckpointKind("v2", _COMMON, _SECOND),
)
"""Kinds that are recognized, but not yet loaded."""
FAMILIES = (
    *LATER_KINDS,
    CheckpointFamily(
        CheckpointKind("v1.5", _COMMON, ("thresh_embedder.", "transformer.")), v15.SPEC, v15.load, ("clip-vit-h-14",)
    ),
    CheckpointFamily(CheckpointKind("v1", _COMMON), v1.SPEC, v1.load, ("clip-vit-h-14",)),
)
