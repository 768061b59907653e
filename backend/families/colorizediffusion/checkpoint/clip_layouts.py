"""The layouts in which files name CLIP's two towers, and the extra keys that each layout allows."""

from collections.abc import Iterable
from dataclasses import dataclass

from backend.families.colorizediffusion.checkpoint import key_mapping, network_configs
from backend.families.colorizediffusion.checkpoint.config import NetworkConfig
from backend.weights.safetensors_file import SafetensorsFile
from backend.weights.state_dict import KeyMap, WeightSource, build_on_meta

XL_CLIP_PREFIX = f"{key_mapping.CLIP_PREFIX}model."
"""Of the vision tower in XL's training program."""


@dataclass(frozen=True)
class ClipLayout:
    """How one program names the tensors of CLIP's towers."""

    vision: KeyMap
    """From a key of ``ImageEncoder`` to the file's name."""
    text: KeyMap
    """From a key of ``TextEncoder`` to the file's name."""
    extras: frozenset[str]
    """Full names of tensors that such a file may hold although no network reads them."""


def transformers_names(prefix: str) -> KeyMap:
    """Maps keys of ImageEncoder or TextEncoder, for a file that names both towers as transformers does, under ``prefix``."""

    def source(key: str) -> WeightSource:
        return WeightSource(prefix + key_mapping.transformers_source(key).name)

    return source


CLIP_LAYOUTS = (
    ClipLayout(  # XL's training program's
        transformers_names(XL_CLIP_PREFIX), transformers_names(XL_CLIP_PREFIX), frozenset()
    ),
    ClipLayout(  # the published training program's
        key_mapping.openclip_names(f"{key_mapping.CLIP_PREFIX}visual.model."),
        key_mapping.openclip_names(f"{key_mapping.CLIP_PREFIX}transformer.model."),
        frozenset((f"{key_mapping.CLIP_PREFIX}transformer.model.logit_scale",)),
    ),
    ClipLayout(
        key_mapping.openclip_names("visual."), key_mapping.openclip_names(""), frozenset(("logit_scale",))
    ),  # OpenCLIP's
    ClipLayout(  # transformers'; its earlier versions saved position ids
        key_mapping.transformers_source,
        key_mapping.transformers_source,
        frozenset(("logit_scale", "vision_model.embeddings.position_ids", "text_model.embeddings.position_ids")),
    ),
)


def vision_names(file_keys: Iterable[str]) -> KeyMap | None:
    """The mapping of CLIP's vision tower to a file with these keys; None when the file has no vision tower."""
    keys = set(file_keys)
    return next((layout.vision for layout in CLIP_LAYOUTS if _has_vision(layout, keys)), None)


def text_names(file_keys: Iterable[str]) -> KeyMap | None:
    """The mapping of CLIP's text tower to a file with these keys; None when the file has no text tower."""
    keys = set(file_keys)
    return next((layout.text for layout in CLIP_LAYOUTS if _has_text(layout, keys)), None)


def extra_keys(file_keys: Iterable[str]) -> frozenset[str]:
    """Keys that a file may hold besides networks: the noise schedule of a checkpoint, and the extras of CLIP's layout."""
    keys = set(file_keys)
    schedule = (
        key_mapping.SCHEDULE_BUFFERS if any(key.startswith(key_mapping.UNET_PREFIX) for key in keys) else frozenset[str]()
    )
    layouts = (layout for layout in CLIP_LAYOUTS if _has_vision(layout, keys) or _has_text(layout, keys))
    return schedule.union(*(layout.extras for layout in layouts))


def ignorable_keys(file: SafetensorsFile, config: NetworkConfig) -> frozenset[str]:
    """Keys that a file may hold besides the networks that are loaded: ``extra_keys``, and CLIP's text tower."""
    names, extras = text_names(file.entries), extra_keys(file.entries)
    if names is None:
        return extras
    network = build_on_meta(lambda: network_configs.text_encoder(file.shapes, names, config))
    return extras.union(names(key).name for key in network.state_dict())


def _has_vision(layout: ClipLayout, file_keys: set[str]) -> bool:
    return layout.vision("clip.vision_model.embeddings.class_embedding").name in file_keys


def _has_text(layout: ClipLayout, file_keys: set[str]) -> bool:
    return layout.text("clip.text_model.embeddings.token_embedding.weight").name in file_keys
