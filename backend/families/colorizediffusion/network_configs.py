"""The networks of a checkpoint, built by the shapes of its tensors.

Widths, ranks and numbers of layers are read from the file.  What shapes do not tell (heads and groups) is the full size's,
unless a JSON file of the same name beside the checkpoint says otherwise.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPVisionConfig

from backend.families.colorizediffusion import key_mapping
from backend.networks.clip import ImageEncoder, TextEncoder
from backend.networks.colorizediffusion.attention_inputs import PROJECTIONS, Projection, Ranks, Side
from backend.networks.colorizediffusion.sketch_encoder import SketchEncoder
from backend.networks.colorizediffusion.token_transformer import ThresholdEmbedder, TokenTransformer
from backend.networks.colorizediffusion.transformer_blocks import cross_attentions
from backend.networks.colorizediffusion.unet import ReferenceUNet
from backend.weights.state_dict import Shapes, count_children, read_sidecar_json, size
from shared.errors import ErrorCode, LinewashError

_VAE_WIDTHS = (0, 1, 2, 3)
_BLOCKS = ("DownBlock2D", "CrossAttnDownBlock2D", "UpBlock2D", "CrossAttnUpBlock2D")


@dataclass(frozen=True)
class Config:
    """What the shapes of a checkpoint do not tell; the defaults are those of the published files."""

    head_dim: int = 64
    groups: int = 32
    vae_groups: int = 32
    vision_heads: int = 16
    text_heads: int = 16
    token_head_dim: int = 64


def read_config(checkpoint: Path) -> Config:
    """The configuration beside a checkpoint (``NAME.json`` for ``NAME.safetensors``), the full size's when there is none.

    Raises LinewashError MODEL_KEYS when the file is not a JSON object of known names and positive whole numbers.
    """
    numbers, known = read_sidecar_json(checkpoint), {field.name for field in fields(Config)}
    if not set(numbers) <= known:
        raise LinewashError(ErrorCode.MODEL_KEYS, f"{checkpoint.stem}.json: not an object of {', '.join(sorted(known))}")
    if not all(type(value) is int and value > 0 for value in numbers.values()):
        raise LinewashError(ErrorCode.MODEL_KEYS, f"{checkpoint.stem}.json: not positive whole numbers")
    return Config(**numbers)


def reference_unet(shapes: Shapes, config: Config, with_pairs: bool) -> ReferenceUNet:
    """The U-Net; with pairs, each cross-attention layer has the low-rank pairs that the file holds for it."""
    down, cross_down, up, cross_up = _BLOCKS
    widths = tuple(size(shapes, f"{key_mapping.UNET}input_blocks.{i}.0.out_layers.3.weight") for i in (1, 4, 7, 10))
    settings: dict[str, Any] = {  # diffusers declares tuples of one number
        "in_channels": size(shapes, f"{key_mapping.UNET}input_blocks.0.0.weight", 1),
        "out_channels": size(shapes, f"{key_mapping.UNET}out.2.weight"),
        "block_out_channels": widths,
        "layers_per_block": 2,
        "attention_head_dim": tuple(width // config.head_dim for width in widths),  # diffusers' old name for heads
        "cross_attention_dim": size(shapes, f"{key_mapping.UNET}input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight", 1),
        "norm_num_groups": config.groups,
        "use_linear_projection": False,
        "down_block_types": (cross_down, cross_down, cross_down, down),
        "up_block_types": (up, cross_up, cross_up, cross_up),
    }
    unet = UNet2DConditionModel(**settings)
    return ReferenceUNet(unet, _ranks(shapes, unet) if with_pairs else None)


def _ranks(shapes: Shapes, unet: UNet2DConditionModel) -> list[Ranks]:
    names = {id(module): name for name, module in unet.named_modules()}
    layers: list[Ranks] = []
    for attn in cross_attentions(unet):
        start = key_mapping.unet(f"{names[id(attn)]}.").name
        layer: dict[Projection, dict[Side, int]] = {}
        for p in PROJECTIONS:
            down = f"{start}{p}.lora_down"
            layer[p] = {"foreground": size(shapes, f"{down}_fg.weight"), "background": size(shapes, f"{down}_bg.weight")}
        layers.append(layer)
    return layers


def autoencoder(shapes: Shapes, config: Config) -> AutoencoderKL:
    """The VAE."""
    widths = tuple(size(shapes, f"{key_mapping.VAE}encoder.down.{i}.block.0.conv1.weight") for i in _VAE_WIDTHS)
    settings: dict[str, Any] = {
        "block_out_channels": widths,
        "down_block_types": ("DownEncoderBlock2D",) * 4,
        "up_block_types": ("UpDecoderBlock2D",) * 4,
        "layers_per_block": 2,
        "latent_channels": size(shapes, f"{key_mapping.VAE}post_quant_conv.weight"),
        "norm_num_groups": config.vae_groups,
    }
    return AutoencoderKL(**settings)


def sketch_encoder(shapes: Shapes) -> SketchEncoder:
    """The sketch encoder."""
    trunk = [size(shapes, f"{key_mapping.SKETCH}model.{2 * i}.weight") for i in range(7)]
    stages = [size(shapes, f"{key_mapping.SKETCH}output_blocks.{i}.1.weight") for i in range(4)]
    return SketchEncoder(trunk, stages, size(shapes, f"{key_mapping.SKETCH}model.0.weight", 1))


def threshold_embedder(shapes: Shapes) -> ThresholdEmbedder:
    """v1.5's threshold embedder."""
    name = f"{key_mapping.THRESHOLD}embed_layer.0.weight"
    return ThresholdEmbedder(size(shapes, name), size(shapes, name, 1))


def token_transformer(shapes: Shapes, config: Config) -> TokenTransformer:
    """v1.5's token transformer."""
    queries, width = (size(shapes, f"{key_mapping.TOKENS}embedding", axis) for axis in (0, 1))
    return TokenTransformer(width, count_children(shapes, f"{key_mapping.TOKENS}layers."), queries, config.token_head_dim)


def image_encoder(shapes: Shapes, names: key_mapping.Names, config: Config) -> ImageEncoder:
    """CLIP's vision tower in a file that names it as ``names`` says."""
    start, last = "clip.vision_model.encoder.layers.", ".mlp.fc1.weight"
    patch = names("clip.vision_model.embeddings.patch_embedding.weight").name
    positions = size(shapes, names("clip.vision_model.embeddings.position_embedding.weight").name)
    return ImageEncoder(
        CLIPVisionConfig(
            hidden_size=size(shapes, patch),
            intermediate_size=size(shapes, names(f"{start}0{last}").name),
            projection_dim=_output(shapes, names, "clip.visual_projection.weight"),
            num_hidden_layers=_layers(shapes, names(f"{start}0{last}").name),
            num_attention_heads=config.vision_heads,
            patch_size=size(shapes, patch, 3),
            image_size=size(shapes, patch, 3) * round((positions - 1) ** 0.5),
            hidden_act="gelu",
        )
    )


def text_encoder(shapes: Shapes, names: key_mapping.Names, config: Config) -> TextEncoder:
    """CLIP's text tower in a file that names it as ``names`` says."""
    start, last = "clip.text_model.encoder.layers.", ".mlp.fc1.weight"
    vocabulary = names("clip.text_model.embeddings.token_embedding.weight").name
    return TextEncoder(
        CLIPTextConfig(
            vocab_size=size(shapes, vocabulary),
            hidden_size=size(shapes, vocabulary, 1),
            intermediate_size=size(shapes, names(f"{start}0{last}").name),
            projection_dim=_output(shapes, names, "clip.text_projection.weight"),
            num_hidden_layers=_layers(shapes, names(f"{start}0{last}").name),
            num_attention_heads=config.text_heads,
            max_position_embeddings=size(shapes, names("clip.text_model.embeddings.position_embedding.weight").name),
            hidden_act="gelu",
        )
    )


def _output(shapes: Shapes, names: key_mapping.Names, key: str) -> int:
    """The width a projection leads to; OpenCLIP stores it turned."""
    source = names(key)
    return size(shapes, source.name, 0 if source.change is key_mapping.identity else 1)


def _layers(shapes: Shapes, first: str) -> int:
    """How many layers there are, by the name of one tensor of layer 0."""
    start = first.split(".0.", 1)[0] + "."
    return count_children(shapes, start)


def starting(names: Iterable[str], prefix: str) -> bool:
    """Whether any name starts with ``prefix``."""
    return any(name.startswith(prefix) for name in names)
