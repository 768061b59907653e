"""Builds the networks of a checkpoint from the shapes of its tensors.

Widths, ranks and numbers of layers are read from the shapes; hyperparameters that shapes do not tell are in ``NetworkConfig``.
"""

from collections.abc import Collection
from typing import Any

from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import nn
from transformers import CLIPTextConfig, CLIPVisionConfig

from backend.families.colorizediffusion.checkpoint import key_mapping
from backend.families.colorizediffusion.checkpoint.config import NetworkConfig
from backend.networks.clip import ImageEncoder, TextEncoder
from backend.networks.colorizediffusion.attention_inputs import PROJECTIONS, Half, Projection, Ranks
from backend.networks.colorizediffusion.reference.reference_encoder import BackgroundEncoder, StyleEncoder
from backend.networks.colorizediffusion.reference.style_modules import StyleModules
from backend.networks.colorizediffusion.reference.token_transformer import ThresholdEmbedder, TokenTransformer
from backend.networks.colorizediffusion.reference.warp_modules import WarpModules
from backend.networks.colorizediffusion.sketch_encoder import SketchEncoder
from backend.networks.colorizediffusion.transformer_blocks import cross_attentions
from backend.networks.colorizediffusion.unet import ReferenceUNet
from backend.weights.state_dict import KeyMap, Shapes, axis_length, count_children, identity

_VAE_LEVELS = 4
_BLOCKS = ("DownBlock2D", "CrossAttnDownBlock2D", "UpBlock2D", "CrossAttnUpBlock2D")


def common_networks(shapes: Shapes, config: NetworkConfig, paired_layers: Collection[int]) -> dict[str, nn.Module]:
    """U-Net, sketch encoder and VAE of a checkpoint that is built like Stable Diffusion 2, by part.

    paired_layers: the cross-attention layers that have low-rank pairs.
    """
    return {
        "unet": reference_unet(shapes, config, paired_layers),
        "sketch_encoder": sketch_encoder(shapes),
        "vae": autoencoder(shapes, config),
    }


def reference_unet(shapes: Shapes, config: NetworkConfig, paired_layers: Collection[int]) -> ReferenceUNet:
    """The U-Net.  paired_layers: the cross-attention layers that have low-rank pairs, of the ranks in the file."""
    out_channels = axis_length(shapes, f"{key_mapping.UNET_PREFIX}out.2.weight")
    unet = UNet2DConditionModel(**_unet_arguments(shapes, config, key_mapping.UNET_PREFIX), out_channels=out_channels)
    return ReferenceUNet(unet, _ranks(shapes, unet, paired_layers))


def _unet_arguments(shapes: Shapes, config: NetworkConfig, prefix: str) -> dict[str, Any]:
    """The arguments of diffusers' U-Net, from the down half that lies under ``prefix``."""
    down, cross_down, up, cross_up = _BLOCKS
    # The first block of each of the four levels: the file has three blocks a level.
    widths = tuple(axis_length(shapes, f"{prefix}input_blocks.{i}.0.out_layers.3.weight") for i in (1, 4, 7, 10))
    first_keys = f"{prefix}input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight"
    return {  # diffusers' annotations allow tuples of one number only
        "in_channels": axis_length(shapes, f"{prefix}input_blocks.0.0.weight", 1),
        "block_out_channels": widths,
        "layers_per_block": 2,
        "attention_head_dim": tuple(width // config.head_dim for width in widths),  # means heads: diffusers' old name
        "cross_attention_dim": axis_length(shapes, first_keys, 1),
        "norm_num_groups": config.groups,
        "use_linear_projection": False,
        "down_block_types": (cross_down, cross_down, cross_down, down),
        "up_block_types": (up, cross_up, cross_up, cross_up),
    }


def _ranks(shapes: Shapes, unet: UNet2DConditionModel, paired_layers: Collection[int]) -> list[Ranks]:
    """The ranks of each cross-attention layer's low-rank pairs; none where the file has no pairs at all (spec 22)."""
    if not any(".lora_down_" in name for name in shapes):
        paired_layers = ()
    names = {id(module): name for name, module in unet.named_modules()}
    layers: list[Ranks] = []
    for number, attn in enumerate(cross_attentions(unet)):
        start = key_mapping.unet_source(f"{names[id(attn)]}.").name
        layer: dict[Projection, dict[Half, int]] = {}
        for p in PROJECTIONS if number in paired_layers else ():
            down = f"{start}{p}.lora_down"
            layer[p] = {
                "foreground": axis_length(shapes, f"{down}_fg.weight"),
                "background": axis_length(shapes, f"{down}_bg.weight"),
            }
        layers.append(layer)
    return layers


def background_encoder(shapes: Shapes, config: NetworkConfig) -> BackgroundEncoder:
    """v2's background encoder; its heads keep the widths of its blocks."""
    unet, widths = (
        _down_half(shapes, config, key_mapping.BACKGROUND_PREFIX),
        _block_widths(shapes, key_mapping.BACKGROUND_PREFIX),
    )
    return BackgroundEncoder(unet, nn.ModuleList(nn.Conv2d(width, width, 1) for width in widths))


def style_encoder(shapes: Shapes, config: NetworkConfig) -> StyleEncoder:
    """v2's style encoder; its heads make as many numbers as the decoder blocks' scale and shift."""
    prefix = key_mapping.STYLE_PREFIX
    unet, widths = _down_half(shapes, config, prefix), _block_widths(shapes, prefix)
    outputs = [axis_length(shapes, f"{prefix}zero_layers.{i}.weight") for i in range(len(widths))]
    return StyleEncoder(unet, nn.ModuleList(nn.Linear(*sides) for sides in zip(widths, outputs, strict=True)))


def _down_half(shapes: Shapes, config: NetworkConfig, prefix: str) -> UNet2DConditionModel:
    """A whole U-Net around the down half under ``prefix``; ``ReferenceEncoder`` takes the rest away."""
    sizes = axis_length(shapes, f"{prefix}label_emb.0.0.weight", 1)
    return UNet2DConditionModel(
        **_unet_arguments(shapes, config, prefix),
        class_embed_type="projection",
        projection_class_embeddings_input_dim=sizes,
    )


def _block_widths(shapes: Shapes, prefix: str) -> list[int]:
    """The width of each encoder block's output: the first convolution, then two blocks and a down-sampler a level."""
    levels = [axis_length(shapes, f"{prefix}input_blocks.{i}.0.out_layers.3.weight") for i in (1, 4, 7, 10)]
    return [levels[0], *(width for width in levels for _ in range(3))][:-1]


def warp_modules(shapes: Shapes, config: NetworkConfig) -> WarpModules:
    """v2's warp modules, as wide as the skips."""
    count = count_children(shapes, key_mapping.WARP_PREFIX)
    widths = [axis_length(shapes, f"{key_mapping.WARP_PREFIX}{i}.norm1.weight") for i in range(count)]
    return WarpModules(widths, config.head_dim)


def style_modules(shapes: Shapes) -> StyleModules:
    """v2's style modules, as wide as the decoder blocks."""
    prefix = key_mapping.STYLE_MODULES_PREFIX
    widths = [axis_length(shapes, f"{prefix}{i}.0.weight") // 2 for i in range(count_children(shapes, prefix))]
    return StyleModules(widths, axis_length(shapes, f"{prefix}0.1.weight", 1))


def autoencoder(shapes: Shapes, config: NetworkConfig) -> AutoencoderKL:
    """The VAE."""
    widths = tuple(
        axis_length(shapes, f"{key_mapping.VAE_PREFIX}encoder.down.{i}.block.0.conv1.weight") for i in range(_VAE_LEVELS)
    )
    arguments: dict[str, Any] = {
        "block_out_channels": widths,
        "down_block_types": ("DownEncoderBlock2D",) * _VAE_LEVELS,
        "up_block_types": ("UpDecoderBlock2D",) * _VAE_LEVELS,
        "layers_per_block": count_children(shapes, f"{key_mapping.VAE_PREFIX}encoder.down.0.block."),
        "latent_channels": axis_length(shapes, f"{key_mapping.VAE_PREFIX}post_quant_conv.weight"),
        "norm_num_groups": config.vae_groups,
    }
    return AutoencoderKL(**arguments)


def sketch_encoder(shapes: Shapes) -> SketchEncoder:
    """The sketch encoder."""
    trunk = [axis_length(shapes, f"{key_mapping.SKETCH_PREFIX}model.{2 * i}.weight") for i in range(7)]
    stages = [axis_length(shapes, f"{key_mapping.SKETCH_PREFIX}output_blocks.{i}.1.weight") for i in range(4)]
    return SketchEncoder(trunk, stages, axis_length(shapes, f"{key_mapping.SKETCH_PREFIX}model.0.weight", 1))


def threshold_embedder(shapes: Shapes) -> ThresholdEmbedder:
    """v1.5's threshold embedder."""
    name = f"{key_mapping.THRESHOLD_PREFIX}embed_layer.0.weight"
    return ThresholdEmbedder(axis_length(shapes, name), axis_length(shapes, name, 1))


def token_transformer(shapes: Shapes, config: NetworkConfig) -> TokenTransformer:
    """v1.5's token transformer."""
    queries, width = (axis_length(shapes, f"{key_mapping.TOKENS_PREFIX}embedding", axis) for axis in (0, 1))
    return TokenTransformer(
        width, count_children(shapes, f"{key_mapping.TOKENS_PREFIX}layers."), queries, config.token_head_dim
    )


def image_encoder(shapes: Shapes, names: KeyMap, config: NetworkConfig) -> ImageEncoder:
    """CLIP's vision tower.  names: maps its keys to those of the file."""
    start, last = "clip.vision_model.encoder.layers.", ".mlp.fc1.weight"
    patch = names("clip.vision_model.embeddings.patch_embedding.weight").name
    positions = axis_length(shapes, names("clip.vision_model.embeddings.position_embedding.weight").name)
    return ImageEncoder(
        CLIPVisionConfig(
            hidden_size=axis_length(shapes, patch),
            intermediate_size=axis_length(shapes, names(f"{start}0{last}").name),
            projection_dim=_output(shapes, names, "clip.visual_projection.weight"),
            num_hidden_layers=_layers(shapes, names(f"{start}0{last}").name),
            num_attention_heads=config.vision_heads,
            patch_size=axis_length(shapes, patch, 3),
            image_size=axis_length(shapes, patch, 3) * round((positions - 1) ** 0.5),
            hidden_act="gelu",
        )
    )


def text_encoder(shapes: Shapes, names: KeyMap, config: NetworkConfig) -> TextEncoder:
    """CLIP's text tower.  names: maps its keys to those of the file."""
    start, last = "clip.text_model.encoder.layers.", ".mlp.fc1.weight"
    vocabulary = names("clip.text_model.embeddings.token_embedding.weight").name
    return TextEncoder(
        CLIPTextConfig(
            vocab_size=axis_length(shapes, vocabulary),
            hidden_size=axis_length(shapes, vocabulary, 1),
            intermediate_size=axis_length(shapes, names(f"{start}0{last}").name),
            projection_dim=_output(shapes, names, "clip.text_projection.weight"),
            num_hidden_layers=_layers(shapes, names(f"{start}0{last}").name),
            num_attention_heads=config.text_heads,
            max_position_embeddings=axis_length(shapes, names("clip.text_model.embeddings.position_embedding.weight").name),
            hidden_act="gelu",
        )
    )


def _output(shapes: Shapes, names: KeyMap, key: str) -> int:
    """The output width of a projection; OpenCLIP stores the weight transposed."""
    source = names(key)
    return axis_length(shapes, source.name, 0 if source.transform is identity else 1)


def _layers(shapes: Shapes, first: str) -> int:
    """The number of layers, given the name of one tensor of layer 0."""
    start = first.split(".0.", 1)[0] + "."
    return count_children(shapes, start)
