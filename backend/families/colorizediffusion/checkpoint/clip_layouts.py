"""How files name CLIP's towers, and what they may hold besides."""

from collections.abc import Iterable
from dataclasses import dataclass

from backend.families.colorizediffusion.checkpoint import key_mapping, network_configs
from backend.families.colorizediffusion.checkpoint.config import NetworkConfig
from backend.weights.safetensors_file import SafetensorsFile
from backend.weights.state_dict import build_on_meta


@dataclass(frozen=True)
class ClipLayout:
    """One way in which files name CLIP's towers."""

    vision: key_mapping.Names
    text: key_mapping.Names
    extras: frozenset[str]
    """Full names of what such a file may hold that no network has."""


CLIP_LAYOUTS = (
    ClipLayout(  # the published training program's
        key_mapping.openclip(f"{key_mapping.CLIP}visual.model."),
        key_mapping.openclip(f"{key_mapping.CLIP}transformer.model."),
        frozenset((f"{key_mapping.CLIP}transformer.model.logit_scale",)),
    ),
    ClipLayout(key_mapping.openclip("visual."), key_mapping.openclip(""), frozenset(("logit_scale",))),  # OpenCLIP's
    ClipLayout(  # transformers'; its earlier versions saved position ids
        key_mapping.transformers_layout,
        key_mapping.transformers_layout,
        frozenset(("logit_scale", "vision_model.embeddings.position_ids", "text_model.embeddings.position_ids")),
    ),
)


def vision_names(held: Iterable[str]) -> key_mapping.Names | None:
    """How a file with these names calls CLIP's vision tower, None when it has none."""
    names = set(held)
    return next((layout.vision for layout in CLIP_LAYOUTS if _has_vision(layout, names)), None)


def text_names(held: Iterable[str]) -> key_mapping.Names | None:
    """How a file with these names calls CLIP's text tower, None when it has none."""
    names = set(held)
    return next((layout.text for layout in CLIP_LAYOUTS if _has_text(layout, names)), None)


def extra_keys(held: Iterable[str]) -> frozenset[str]:
    """What a file with these names may hold besides networks: a checkpoint the schedule, CLIP's file its layout's extras."""
    names = set(held)
    schedule = key_mapping.SCHEDULE if any(name.startswith(key_mapping.UNET) for name in names) else frozenset[str]()
    layouts = (layout for layout in CLIP_LAYOUTS if _has_vision(layout, names) or _has_text(layout, names))
    return schedule.union(*(layout.extras for layout in layouts))


def ignorable_keys(file: SafetensorsFile, config: NetworkConfig) -> frozenset[str]:
    """What a file may hold besides the networks that are read: ``extra_keys``, and CLIP's text tower."""
    names, extras = text_names(file.entries), extra_keys(file.entries)
    if names is None:
        return extras
    network = build_on_meta(lambda: network_configs.text_encoder(file.shapes, names, config))
    return extras.union(names(key).name for key in network.state_dict())


def _has_vision(layout: ClipLayout, held: set[str]) -> bool:
    return layout.vision("clip.vision_model.embeddings.class_embedding").name in held


def _has_text(layout: ClipLayout, held: set[str]) -> bool:
    return layout.text("clip.text_model.embeddings.token_embedding.weight").name in held
