"""Loads a checkpoint file into networks that are ready to run.

Every name and shape is checked before the first weight is read, and nothing is returned before the last weight is loaded.
A damaged file therefore never affects the models that are loaded already.
"""

from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import cast

import torch
from diffusers import AutoencoderKL
from torch import nn

from backend.families.colorizediffusion.checkpoint import network_configs
from backend.families.colorizediffusion.checkpoint.clip_layouts import ignorable_keys, text_names
from backend.families.colorizediffusion.checkpoint.companion_parts import COMPANION_PARTS, IMAGE_ENCODER
from backend.families.colorizediffusion.checkpoint.config import NetworkConfig, read_config
from backend.families.colorizediffusion.versions import VERSIONS, Version, check_parts, detect_version
from backend.families.diffusion.denoiser import Prediction
from backend.networks.clip import ImageEncoder, TextEncoder, register_position_ids
from backend.networks.colorizediffusion.unet import ReferenceUNet
from backend.weights.companions import NO_COMPANIONS, Companion, Companions, companion_missing
from backend.weights.safetensors_file import SafetensorsFile
from backend.weights.state_dict import KeyMap, build_on_meta, check_state_dict, load_state_dict

FLOAT32_PREFIXES = ("unet.time_embedding.", "unet.class_embedding.", "unet.conv_norm_out.", "unet.conv_out.")
"""Prefixes of keys that stay in float32, whatever type the blocks have: of the U-Net, and of encoders that are half of one."""


@dataclass(frozen=True)
class Parts:
    """The networks of one checkpoint, frozen and in evaluation mode: four that every version has, and the version's extras."""

    version: Version
    prediction: Prediction
    """What the U-Net predicts."""
    unet: ReferenceUNet
    sketch_encoder: nn.Module
    """Makes features of a sketch (B, 3, H, W), by the U-Net's block that they are added to."""
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
    with _open_files(path, companions, versions) as files:
        return _load(files, types, device, prediction)


def count_weights(path: Path, companions: Companions = NO_COMPANIONS, versions: Sequence[Version] = VERSIONS) -> dict[str, int]:
    """Numbers in each part of the checkpoint at ``path``, from the files' headers.  Raises as ``load_parts``."""
    with _open_files(path, companions, versions) as files:
        networks = _build_networks(files)
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


@dataclass(frozen=True)
class _Files:
    """A checkpoint and the files that hold its companions; often the same file."""

    version: Version
    own: SafetensorsFile
    companions: Mapping[Companion, SafetensorsFile]

    def key_map(self, companion: Companion) -> KeyMap:
        """The mapping of a companion's network to its file.  LinewashError COMPANION_MISSING where the file has none."""
        key_map = COMPANION_PARTS[companion].key_map(self.companions[companion].entries)
        if key_map is None:
            raise companion_missing(companion)
        return key_map


@contextmanager
def _open_files(path: Path, companions: Companions, versions: Sequence[Version]) -> Generator[_Files, None, None]:
    """Open all files of a checkpoint; what it holds itself is taken from it."""
    with ExitStack() as opened:
        own = opened.enter_context(SafetensorsFile(path))
        version = detect_version(own.entries, versions)
        files: dict[Companion, SafetensorsFile] = {}
        for name in version.companions:
            included = COMPANION_PARTS[name].key_map(own.entries) is not None
            missing = included or name not in companions
            files[name] = own if missing else opened.enter_context(SafetensorsFile(companions[name]))
        yield _Files(version, own, files)


def _load(files: _Files, types: _Types, device: str, prediction: Prediction | None) -> Parts:
    version, config = files.version, read_config(files.own.path)
    networks = _build_networks(files)
    # All files are checked against their networks before weights of any are read.
    mapped = {part: (networks[part], key_map) for part, key_map in version.key_map.items() if part in networks}
    included, unread = list(mapped.values()), ignorable_keys(files.own, config) | version.unread
    for name, file in files.companions.items():
        pair = networks[COMPANION_PARTS[name].part], files.key_map(name)
        if file is files.own:
            included.append(pair)
            unread |= COMPANION_PARTS[name].unread
        else:
            check_state_dict(file, [pair], ignorable_keys(file, read_config(file.path)) | COMPANION_PARTS[name].unread)
    check_state_dict(files.own, included, unread)

    # ``part=part`` keeps each part's own value; a closure alone would see that of the last round.
    for part, (network, key_map) in mapped.items():
        load_state_dict(files.own, network, key_map, lambda key, part=part: types.of(version, part, key), device)
    for name, file in files.companions.items():
        network = networks[COMPANION_PARTS[name].part]
        load_state_dict(file, network, files.key_map(name), lambda key: types.clip, device)
        COMPANION_PARTS[name].finish(network, device)
    clip = files.companions[version.companions[0]]
    return Parts(
        version=version,
        prediction=prediction or config.prediction or prediction_from_name(files.own.path.name),
        unet=cast(ReferenceUNet, networks.pop("unet")),
        sketch_encoder=networks.pop("sketch_encoder"),
        vae=cast(AutoencoderKL, networks.pop("vae")),
        image_encoder=cast(ImageEncoder, networks.pop(IMAGE_ENCODER)),
        text=clip.path if version.reads_text and text_names(clip.entries) else None,
        tokenizer=_tokenizer(clip.path.parent),
        config=config,
        extras=networks,
    )


def _build_networks(files: _Files) -> dict[str, nn.Module]:
    """All networks by part on the meta device, with the shapes of the files.  LinewashError COMPANION_MISSING."""
    version, config = files.version, read_config(files.own.path)
    key_maps = {name: files.key_map(name) for name in files.companions}
    check_parts(version, files.own.entries)
    networks = build_on_meta(lambda: version.build(files.own.shapes, config))
    for name, file in files.companions.items():
        part, beside = COMPANION_PARTS[name], read_config(file.path)
        networks[part.part] = build_on_meta(partial(part.build, file.shapes, key_maps[name], beside))
    return networks


def _tokenizer(folder: Path) -> Path | None:
    """The folder when it holds CLIP's vocabulary in one of transformers' two layouts, else None."""
    in_one_file = (folder / "tokenizer.json").is_file()
    return folder if in_one_file or all((folder / name).is_file() for name in ("vocab.json", "merges.txt")) else None
