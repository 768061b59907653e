"""Loads a checkpoint file into networks that are ready to run.

Every name and shape is checked before the first weight is read, and nothing is returned before the last weight is loaded.
A damaged file therefore never affects the models that are loaded already.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import torch
from diffusers import AutoencoderKL
from torch import nn

from backend.families.colorizediffusion.checkpoint import network_configs
from backend.families.colorizediffusion.checkpoint.clip_layouts import ignorable_keys, text_names, vision_names
from backend.families.colorizediffusion.checkpoint.config import NetworkConfig, read_config
from backend.families.colorizediffusion.versions import VERSIONS, Version, check_parts, detect_version
from backend.families.diffusion.denoiser import Prediction
from backend.networks.clip import ImageEncoder, TextEncoder, register_position_ids
from backend.networks.colorizediffusion.sketch_encoder import SketchEncoder
from backend.networks.colorizediffusion.unet import ReferenceUNet
from backend.weights.companions import NO_COMPANIONS, Companions, companion_missing
from backend.weights.safetensors_file import SafetensorsFile
from backend.weights.state_dict import build_on_meta, check_state_dict, load_state_dict

FLOAT32_PREFIXES = ("unet.time_embedding.", "unet.class_embedding.", "unet.conv_norm_out.", "unet.conv_out.")
"""Prefixes of keys that stay in float32, whatever type the blocks have: of the U-Net, and of encoders that are half of one."""


@dataclass(frozen=True)
class Parts:
    """The networks of one checkpoint, frozen and in evaluation mode: four that every version has, and the version's extras."""

    version: Version
    prediction: Prediction
    """What the U-Net predicts."""
    unet: ReferenceUNet
    sketch_encoder: SketchEncoder
    vae: AutoencoderKL
    image_encoder: ImageEncoder
    text: Path | None
    """The file that holds CLIP's text tower, None when there is none; ``load_text`` reads it.  Only text edits need it."""
    tokenizer: Path | None
    """The folder with CLIP's vocabulary, None when there is none."""
    config: NetworkConfig = field(default_factory=NetworkConfig)
    """What the JSON file beside the checkpoint says."""
    extras: Mapping[str, nn.Module] = field(default_factory=dict[str, nn.Module])
    """The version's other networks by part, see ``Version.build``."""

    @property
    def networks(self) -> dict[str, nn.Module]:
        """All networks by part."""
        return {
            "unet": self.unet,
            "sketch_encoder": self.sketch_encoder,
            "vae": self.vae,
            "image_encoder": self.image_encoder,
            **self.extras,
        }


def prediction_from_name(name: str) -> Prediction:
    """What the network predicts, from the file's name: noise when it contains ``eps``, else v.  The tensors do not tell.

    Where there is a JSON file beside the checkpoint that says it, that is right, whatever the name.
    """
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
    versions: Sequence[Version] = VERSIONS,
) -> Parts:
    """The networks of the checkpoint at ``path``, with CLIP from the same file or else from its companion.

    dtype: the type of the parts that ``Version.low_precision_parts`` names, such as the U-Net's blocks and the sketch encoder.
    The time MLP, the U-Net's output and all other parts are always float32 (spec 20).
    vae_dtype, clip_dtype: the VAE's 16-bit weights become float32 by default.
    prediction: overrides ``NetworkConfig.prediction`` and ``prediction_from_name``.

    Raises LinewashError: what ``SafetensorsFile`` raises for either file, MODEL_OTHER_FAMILY, MODEL_PART_MISSING, MODEL_KEYS
    with the names that are missing, unexpected or of another shape, COMPANION_MISSING when neither file holds a vision tower.
    """
    types = _Types(dtype, vae_dtype, clip_dtype)
    with SafetensorsFile(path) as file:
        version = detect_version(file.entries, versions)
        clip = companions.get(version.clip)
        if clip is None or vision_names(file.entries) is not None:
            return _load(version, file, file, types, device, prediction)
        with SafetensorsFile(clip) as clip_file:
            return _load(version, file, clip_file, types, device, prediction)


def count_weights(path: Path, companions: Companions = NO_COMPANIONS, versions: Sequence[Version] = VERSIONS) -> dict[str, int]:
    """Numbers in each part of the checkpoint at ``path``, from the files' headers.  Raises as ``load_parts``."""
    with SafetensorsFile(path) as file:
        version = detect_version(file.entries, versions)
        clip = companions.get(version.clip)
        if clip is None or vision_names(file.entries) is not None:
            networks = _build_networks(version, file, file)
        else:
            with SafetensorsFile(clip) as clip_file:
                networks = _build_networks(version, file, clip_file)
    return {part: sum(weight.numel() for weight in network.parameters()) for part, network in networks.items()}


def load_text(path: Path, device: str = "cpu") -> TextEncoder:
    """CLIP's text tower from ``Parts.text``, float32.  Raises what ``load_parts`` raises."""
    with SafetensorsFile(path) as file:
        names = text_names(file.entries)
        if names is None:
            raise companion_missing("clip-vit-h-14")
        network = build_on_meta(lambda: network_configs.text_encoder(file.shapes, names, read_config(path)))
        check_state_dict(file, [(network, names)], unread=file.entries)
        load_state_dict(file, network, names, lambda key: torch.float32, device)
        register_position_ids(network.clip.text_model.embeddings, device)
        return network


@dataclass(frozen=True)
class _Types:
    """Types of the parts' weights."""

    low_precision: torch.dtype
    vae: torch.dtype
    clip: torch.dtype

    def of(self, version: Version, part: str, key: str) -> torch.dtype:
        """The type of one weight."""
        if part == "vae":
            return self.vae
        in_float32 = part not in version.low_precision_parts or key.startswith(FLOAT32_PREFIXES)
        return torch.float32 if in_float32 else self.low_precision


def _load(
    version: Version,
    file: SafetensorsFile,
    clip: SafetensorsFile,
    types: _Types,
    device: str,
    prediction: Prediction | None,
) -> Parts:
    clip_names = vision_names(clip.entries)
    if clip_names is None:
        raise companion_missing(version.clip)
    networks = _build_networks(version, file, clip)
    image_encoder = cast(ImageEncoder, networks.pop("image_encoder"))

    # Both files are checked against their networks before weights of either are read.
    sources = [(network, version.key_map[part]) for part, network in networks.items()]
    if clip is file:
        check_state_dict(file, [*sources, (image_encoder, clip_names)], ignorable_keys(file, read_config(file.path)))
    else:
        check_state_dict(file, sources, ignorable_keys(file, read_config(file.path)))
        check_state_dict(clip, [(image_encoder, clip_names)], ignorable_keys(clip, read_config(clip.path)))

    # ``part=part`` keeps each part's own value; a closure alone would see that of the last round.
    for part, network in networks.items():
        load_state_dict(file, network, version.key_map[part], lambda key, part=part: types.of(version, part, key), device)
    load_state_dict(clip, image_encoder, clip_names, lambda key: types.clip, device)
    register_position_ids(image_encoder.clip.vision_model.embeddings, device)
    config = read_config(file.path)
    return Parts(
        version=version,
        prediction=prediction or config.prediction or prediction_from_name(file.path.name),
        unet=cast(ReferenceUNet, networks.pop("unet")),
        sketch_encoder=cast(SketchEncoder, networks.pop("sketch_encoder")),
        vae=cast(AutoencoderKL, networks.pop("vae")),
        image_encoder=image_encoder,
        text=clip.path if text_names(clip.entries) else None,
        tokenizer=_tokenizer(clip.path.parent),
        config=config,
        extras=networks,
    )


def _build_networks(version: Version, file: SafetensorsFile, clip: SafetensorsFile) -> dict[str, nn.Module]:
    """All networks by part on the meta device, with the shapes of the files.  LinewashError COMPANION_MISSING."""
    clip_names = vision_names(clip.entries)
    if clip_names is None:
        raise companion_missing(version.clip)
    check_parts(version, file.entries)
    config, clip_config = read_config(file.path), read_config(clip.path)
    networks = build_on_meta(lambda: version.build(file.shapes, config))
    image_encoder = build_on_meta(lambda: network_configs.image_encoder(clip.shapes, clip_names, clip_config))
    return {**networks, "image_encoder": image_encoder}


def _tokenizer(folder: Path) -> Path | None:
    """The folder when it holds CLIP's vocabulary in one of transformers' two layouts, else None."""
    in_one_file = (folder / "tokenizer.json").is_file()
    return folder if in_one_file or all((folder / name).is_file() for name in ("vocab.json", "merges.txt")) else None
