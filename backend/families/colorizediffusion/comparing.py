"""Which networks a file holds: names and shapes alone, without reading a weight."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from backend.families.colorizediffusion import keys, shapes
from backend.families.colorizediffusion.shapes import Config
from backend.families.fitting import Named, built
from backend.weights.checkpoint import Checkpoint
from shared.errors import ErrorCode, LinewashError

Version = Literal["v1", "v1.5"]


@dataclass(frozen=True)
class ClipLayout:
    """One way in which files name CLIP's towers.  extras: full names of what such a file may hold that no network has."""

    vision: keys.Names
    text: keys.Names
    extras: frozenset[str]


CLIP_LAYOUTS = (
    ClipLayout(  # the published training program's
        keys.openclip(f"{keys.CLIP}visual.model."),
        keys.openclip(f"{keys.CLIP}transformer.model."),
        frozenset((f"{keys.CLIP}transformer.model.logit_scale",)),
    ),
    ClipLayout(keys.openclip("visual."), keys.openclip(""), frozenset(("logit_scale",))),  # OpenCLIP's
    ClipLayout(  # transformers'; its earlier versions saved the numbers of positions
        keys.transformers_layout,
        keys.transformers_layout,
        frozenset(("logit_scale", "vision_model.embeddings.position_ids", "text_model.embeddings.position_ids")),
    ),
)


def version_of(names: Iterable[str]) -> Version:
    """The generation of a checkpoint with these names.  Raises LinewashError MODEL_OTHER_FAMILY for any other file."""
    held = set(names)
    for start in (keys.UNET, keys.SKETCH, keys.VAE):
        if not shapes.starting(held, start):
            raise LinewashError(ErrorCode.MODEL_OTHER_FAMILY, f"nothing named {start}*")
    for start in ("bg_encoder.", "style_encoder.", f"{keys.UNET}label_emb.", f"{keys.UNET}warp_modules."):
        if shapes.starting(held, start):
            raise LinewashError(ErrorCode.MODEL_OTHER_FAMILY, f"a later generation: it holds {start}*")
    return "v1.5" if shapes.starting(held, keys.TOKENS) or shapes.starting(held, keys.THRESHOLD) else "v1"


def vision_names(held: Iterable[str]) -> keys.Names | None:
    """How a file with these names calls CLIP's vision tower, None when it has none."""
    names = set(held)
    return next((layout.vision for layout in CLIP_LAYOUTS if _has_vision(layout, names)), None)


def text_names(held: Iterable[str]) -> keys.Names | None:
    """How a file with these names calls CLIP's text tower, None when it has none."""
    names = set(held)
    return next((layout.text for layout in CLIP_LAYOUTS if _has_text(layout, names)), None)


def known_extras(held: Iterable[str]) -> frozenset[str]:
    """What a file with these names may hold besides networks: a checkpoint the schedule, CLIP's its layout's few numbers."""
    names = set(held)
    schedule = keys.SCHEDULE if shapes.starting(names, keys.UNET) else frozenset[str]()
    layouts = (layout for layout in CLIP_LAYOUTS if _has_vision(layout, names) or _has_text(layout, names))
    return schedule.union(*(layout.extras for layout in layouts))


def _has_vision(layout: ClipLayout, held: set[str]) -> bool:
    return layout.vision("clip.vision_model.embeddings.class_embedding").name in held


def _has_text(layout: ClipLayout, held: set[str]) -> bool:
    return layout.text("clip.text_model.embeddings.token_embedding.weight").name in held


def build(held: shapes.Shapes, config: Config) -> dict[str, Named]:
    """All networks of a checkpoint but CLIP, by the name they have in ``Parts``, on the device torch builds on."""
    version = version_of(held)
    found: dict[str, Named] = {
        "unet": (shapes.reference_unet(held, config, with_pairs=version == "v1.5"), keys.unet),
        "sketch_encoder": (shapes.sketch_encoder(held), keys.sketch),
        "vae": (shapes.autoencoder(held, config), keys.vae),
    }
    if version == "v1.5":
        found["threshold_embedder"] = (shapes.threshold_embedder(held), keys.threshold)
        found["token_transformer"] = (shapes.token_transformer(held, config), keys.tokens)
    return found


def unread(file: Checkpoint, config: Config) -> frozenset[str]:
    """What a file may hold besides the networks that are read: ``known_extras``, and CLIP's text tower."""
    names = text_names(file.entries)
    extras = known_extras(file.entries)
    if names is None:
        return extras
    network = built(lambda: shapes.text_encoder(file.shapes, names, config))
    return extras.union(names(key).name for key in network.state_dict())
