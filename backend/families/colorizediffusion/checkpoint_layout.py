"""Which networks a file holds: names and shapes alone, without reading a weight."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from backend.families.colorizediffusion import key_mapping, network_configs
from backend.families.colorizediffusion.network_configs import Config
from backend.weights.safetensors_file import SafetensorsFile
from backend.weights.state_dict import Named, build_on_meta
from shared.errors import ErrorCode, LinewashError

Version = Literal["v1", "v1.5"]


@dataclass(frozen=True)
class ClipLayout:
    """One way in which files name CLIP's towers.  extras: full names of what such a file may hold that no network has."""

    vision: key_mapping.Names
    text: key_mapping.Names
    extras: frozenset[str]


CLIP_LAYOUTS = (
    ClipLayout(  # the published training program's
        key_mapping.openclip(f"{key_mapping.CLIP}visual.model."),
        key_mapping.openclip(f"{key_mapping.CLIP}transformer.model."),
        frozenset((f"{key_mapping.CLIP}transformer.model.logit_scale",)),
    ),
    ClipLayout(key_mapping.openclip("visual."), key_mapping.openclip(""), frozenset(("logit_scale",))),  # OpenCLIP's
    ClipLayout(  # transformers'; its earlier versions saved the numbers of positions
        key_mapping.transformers_layout,
        key_mapping.transformers_layout,
        frozenset(("logit_scale", "vision_model.embeddings.position_ids", "text_model.embeddings.position_ids")),
    ),
)


def detect_version(names: Iterable[str]) -> Version:
    """The generation of a checkpoint with these names.  Raises LinewashError MODEL_OTHER_FAMILY for any other file."""
    held = set(names)
    for start in (key_mapping.UNET, key_mapping.SKETCH, key_mapping.VAE):
        if not network_configs.starting(held, start):
            raise LinewashError(ErrorCode.MODEL_OTHER_FAMILY, f"nothing named {start}*")
    for start in ("bg_encoder.", "style_encoder.", f"{key_mapping.UNET}label_emb.", f"{key_mapping.UNET}warp_modules."):
        if network_configs.starting(held, start):
            raise LinewashError(ErrorCode.MODEL_OTHER_FAMILY, f"a later generation: it holds {start}*")
    starts = (key_mapping.TOKENS, key_mapping.THRESHOLD)
    return "v1.5" if any(network_configs.starting(held, start) for start in starts) else "v1"


def vision_names(held: Iterable[str]) -> key_mapping.Names | None:
    """How a file with these names calls CLIP's vision tower, None when it has none."""
    names = set(held)
    return next((layout.vision for layout in CLIP_LAYOUTS if _has_vision(layout, names)), None)


def text_names(held: Iterable[str]) -> key_mapping.Names | None:
    """How a file with these names calls CLIP's text tower, None when it has none."""
    names = set(held)
    return next((layout.text for layout in CLIP_LAYOUTS if _has_text(layout, names)), None)


def extra_keys(held: Iterable[str]) -> frozenset[str]:
    """What a file with these names may hold besides networks: a checkpoint the schedule, CLIP's its layout's few numbers."""
    names = set(held)
    schedule = key_mapping.SCHEDULE if network_configs.starting(names, key_mapping.UNET) else frozenset[str]()
    layouts = (layout for layout in CLIP_LAYOUTS if _has_vision(layout, names) or _has_text(layout, names))
    return schedule.union(*(layout.extras for layout in layouts))


def _has_vision(layout: ClipLayout, held: set[str]) -> bool:
    return layout.vision("clip.vision_model.embeddings.class_embedding").name in held


def _has_text(layout: ClipLayout, held: set[str]) -> bool:
    return layout.text("clip.text_model.embeddings.token_embedding.weight").name in held


def build(held: network_configs.Shapes, config: Config) -> dict[str, Named]:
    """All networks of a checkpoint but CLIP, by the name they have in ``Parts``, on the device torch builds on."""
    version = detect_version(held)
    found: dict[str, Named] = {
        "unet": (network_configs.reference_unet(held, config, with_pairs=version == "v1.5"), key_mapping.unet),
        "sketch_encoder": (network_configs.sketch_encoder(held), key_mapping.sketch),
        "vae": (network_configs.autoencoder(held, config), key_mapping.vae),
    }
    if version == "v1.5":
        found["threshold_embedder"] = (network_configs.threshold_embedder(held), key_mapping.threshold)
        found["token_transformer"] = (network_configs.token_transformer(held, config), key_mapping.tokens)
    return found


def ignorable_keys(file: SafetensorsFile, config: Config) -> frozenset[str]:
    """What a file may hold besides the networks that are read: ``extra_keys``, and CLIP's text tower."""
    names = text_names(file.entries)
    extras = extra_keys(file.entries)
    if names is None:
        return extras
    network = build_on_meta(lambda: network_configs.text_encoder(file.shapes, names, config))
    return extras.union(names(key).name for key in network.state_dict())
