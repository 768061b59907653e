"""From a checkpoint file to networks ready to run.

Every name and shape is compared before the first weight is read, and nothing is returned before the last one is in its place,
so that whatever is wrong with a file, models that are loaded already are not touched.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

import torch
from diffusers import AutoencoderKL

from backend.families.colorizediffusion import network_configs
from backend.families.colorizediffusion.checkpoint_layout import (
    Version,
    build,
    detect_version,
    ignorable_keys,
    text_names,
    vision_names,
)
from backend.networks.clip import ImageEncoder, TextEncoder, register_position_ids
from backend.networks.colorizediffusion.sketch_encoder import SketchEncoder
from backend.networks.colorizediffusion.token_transformer import ThresholdEmbedder, TokenTransformer
from backend.networks.colorizediffusion.unet import ReferenceUNet
from backend.weights.companions import NO_COMPANIONS, Companions, companion_missing
from backend.weights.safetensors_file import SafetensorsFile
from backend.weights.state_dict import build_on_meta, check_state_dict, load_state_dict

Prediction = Literal["eps", "v"]
WIDE = ("unet.time_embedding.", "unet.conv_norm_out.", "unet.conv_out.")
"""Parts of the U-Net that stay in float32 whatever type its blocks have."""


@dataclass(frozen=True)
class Parts:
    """The networks of one checkpoint, frozen and in evaluation mode.

    ``text`` is the file that holds CLIP's text tower (``load_text`` reads it; only edits by text need it), ``tokenizer`` the
    folder with its vocabulary; None where there is none.  v1 has neither threshold embedder nor token transformer.
    """

    version: Version
    prediction: Prediction
    unet: ReferenceUNet
    sketch_encoder: SketchEncoder
    vae: AutoencoderKL
    vision: ImageEncoder
    text: Path | None
    tokenizer: Path | None
    threshold_embedder: ThresholdEmbedder | None
    token_transformer: TokenTransformer | None


def prediction_of(name: str) -> Prediction:
    """What the network predicts, by the file's name: noise when ``eps`` stands in it, else v.  Nothing inside tells."""
    return "eps" if "eps" in name else "v"


def load_parts(
    path: Path,
    companions: Companions = NO_COMPANIONS,
    dtype: torch.dtype = torch.float32,
    device: str = "cpu",
    *,
    vae_dtype: torch.dtype = torch.float32,
    clip_dtype: torch.dtype = torch.float32,
    prediction: Prediction | None = None,
) -> Parts:
    """The networks of the checkpoint at ``path``, with CLIP from inside it or else from its companion.

    ``dtype`` is the type of the U-Net's blocks and the sketch encoder; the time MLP, the U-Net's output and the token networks
    are float32 always (spec 20).  The VAE's 16-bit weights are widened unless ``vae_dtype`` says otherwise.  ``prediction``
    overrides the rule of the file's name.

    Raises LinewashError: what ``SafetensorsFile`` raises for either file, MODEL_OTHER_FAMILY, MODEL_KEYS with the names
    that are
    missing, unexpected or of another shape, COMPANION_MISSING when neither file holds a vision tower.
    """
    with SafetensorsFile(path) as file:
        clip = companions.get("clip-vit-h-14")
        if clip is None or vision_names(file.entries) is not None:
            return _load(file, file, dtype, device, vae_dtype, clip_dtype, prediction)
        with SafetensorsFile(clip) as other:
            return _load(file, other, dtype, device, vae_dtype, clip_dtype, prediction)


def load_text(path: Path, device: str = "cpu") -> TextEncoder:
    """CLIP's text tower from ``Parts.text``, float32.  Raises what ``load_parts`` raises."""
    with SafetensorsFile(path) as file:
        names = text_names(file.entries)
        if names is None:
            raise companion_missing("clip-vit-h-14")
        network = build_on_meta(lambda: network_configs.text_encoder(file.shapes, names, network_configs.read_config(path)))
        check_state_dict(file, [(network, names)], unread=file.entries)
        load_state_dict(file, network, names, lambda key: torch.float32, device)
        register_position_ids(network.clip.text_model.embeddings, device)
        return network


def _load(
    file: SafetensorsFile,
    clip: SafetensorsFile,
    dtype: torch.dtype,
    device: str,
    vae_dtype: torch.dtype,
    clip_dtype: torch.dtype,
    prediction: Prediction | None,
) -> Parts:
    version = detect_version(file.entries)
    names = vision_names(clip.entries)
    if names is None:
        raise companion_missing("clip-vit-h-14")
    config, clip_config = network_configs.read_config(file.path), network_configs.read_config(clip.path)
    networks = build_on_meta(lambda: build(file.shapes, config))
    vision = build_on_meta(lambda: network_configs.image_encoder(clip.shapes, names, clip_config))
    if clip is file:
        check_state_dict(file, [*networks.values(), (vision, names)], ignorable_keys(file, config))
    else:
        check_state_dict(file, list(networks.values()), ignorable_keys(file, config))
        check_state_dict(clip, [(vision, names)], ignorable_keys(clip, clip_config))

    def unet_dtype(key: str) -> torch.dtype:
        return torch.float32 if key.startswith(WIDE) else dtype

    types = {"unet": unet_dtype, "sketch_encoder": lambda key: dtype, "vae": lambda key: vae_dtype}
    for name, (network, published) in networks.items():
        load_state_dict(file, network, published, types.get(name, lambda key: torch.float32), device)
    load_state_dict(clip, vision, names, lambda key: clip_dtype, device)
    register_position_ids(vision.clip.vision_model.embeddings, device)
    filled = {name: network for name, (network, _) in networks.items()}
    return Parts(
        version=version,
        prediction=prediction or prediction_of(file.path.name),
        unet=cast(ReferenceUNet, filled["unet"]),
        sketch_encoder=cast(SketchEncoder, filled["sketch_encoder"]),
        vae=cast(AutoencoderKL, filled["vae"]),
        vision=vision,
        text=clip.path if text_names(clip.entries) else None,
        tokenizer=_tokenizer(clip.path.parent),
        threshold_embedder=cast("ThresholdEmbedder | None", filled.get("threshold_embedder")),
        token_transformer=cast("TokenTransformer | None", filled.get("token_transformer")),
    )


def _tokenizer(folder: Path) -> Path | None:
    """The folder when it holds CLIP's vocabulary in one of transformers' two layouts."""
    whole = (folder / "tokenizer.json").is_file()
    return folder if whole or all((folder / name).is_file() for name in ("vocab.json", "merges.txt")) else None
