"""Which networks a file holds: names and shapes alone, without reading a weight."""

from collections.abc import Iterable
from typing import Literal

from backend.families.colorizediffusion import keys, shapes
from backend.families.colorizediffusion.shapes import Config
from backend.families.fitting import Named, built
from backend.weights.checkpoint import Checkpoint
from shared.errors import ErrorCode, LinewashError

Version = Literal["v1", "v1.5"]


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
    for layout in (keys.openclip(f"{keys.CLIP}visual.model."), keys.openclip("visual."), keys.transformers_layout):
        if layout("clip.vision_model.embeddings.class_embedding").name in names:
            return layout
    return None


def text_names(held: Iterable[str]) -> keys.Names | None:
    """How a file with these names calls CLIP's text tower, None when it has none."""
    names = set(held)
    for layout in (keys.openclip(f"{keys.CLIP}transformer.model."), keys.openclip(""), keys.transformers_layout):
        if layout("clip.text_model.embeddings.token_embedding.weight").name in names:
            return layout
    return None


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
    """What a file may hold besides the networks that are read: the schedule, CLIP's text tower, and its few numbers."""
    names = text_names(file.entries)
    text: set[str] = set()
    if names is not None:
        network = built(lambda: shapes.text_encoder(file.shapes, names, config))
        text = {names(key).name for key in network.state_dict()}
    return keys.SCHEDULE | text | {name for name in file.entries if name.endswith(("logit_scale", "position_ids"))}
