"""Builds the networks of a checkpoint from the shapes of its tensors.

Widths, ranks and numbers of layers are read from the shapes; hyperparameters that shapes do not tell are in ``NetworkConfig``.
"""

from typing import Any

from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import nn
from transformers import CLIPTextConfig, CLIPVisionConfig

from backend.families.colorizediffusion.checkpoint import key_mapping
from backend.families.colorizediffusion.checkpoint.config import NetworkConfig
from backend.networks.clip import ImageEncoder, TextEncoder
from backend.networks.colorizediffusion.attention_inputs import PROJECTIONS, Half, Projection, Ranks
from backend.networks.colorizediffusion.sketch_encoder import SketchEncoder
from backend.networks.colorizediffusion.token_transformer import ThresholdEmbedder, TokenTransformer
from backend.networks.colorizediffusion.transformer_blocks import cross_attentions
from backend.networks.colorizediffusion.unet import ReferenceUNet
from backend.weights.state_dict import KeyMap, Shapes, axis_length, count_children, identity

_VAE_LEVELS = 4
_BLOCKS = ("DownBlock2D", "CrossAttnDownBlock2D", "UpBlock2D", "CrossAttnUpBlock2D")


def common_networks(shapes: Shapes, config: NetworkConfig, with_pairs: bool) -> dict[str, nn.Module]:
    """U-Net, sketch encoder and VAE of a checkpoint that is built like Stable Diffusion 2, by part."""
    return {
        "unet": reference_unet(shapes, config, with_pairs),
        "sketch_encoder": sketch_encoder(shapes),
        "vae": autoencoder(shapes, config),
    }


def reference_unet(shapes: Shapes, config: NetworkConfig, with_pairs: bool) -> ReferenceUNet:
    """The U-Net.  with_pairs: each cross-attention layer has the low-rank pairs that the file holds for it."""
    down, cross_down, up, cross_up = _BLOCKS
    # The first block of each of the four levels: the file has three blocks a level.
    widths = tuple(
        axis_length(shapes, f"{key_mapping.UNET_PREFIX}input_blocks.{i}.0.out_layers.3.weight") for i in (1, 4, 7, 10)
    )
    first_keys = f"{key_mapping.UNET_PREFIX}input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight"
    arguments: dict[str, Any] = {  # diffusers' annotations allow tuples of one number only
        "in_channels": axis_length(shapes, f"{key_mapping.UNET_PREFIX}input_blocks.0.0.weight", 1),
        "out_channels": axis_length(shapes, f"{key_mapping.UNET_PREFIX}out.2.weight"),
        "block_out_channels": widths,
        "layers_per_block": 2,
        "attention_head_dim": tuple(width // config.head_dim for width in widths),  # means heads: diffusers' old name
        "cross_attention_dim": axis_length(shapes, first_keys, 1),
        "norm_num_groups": config.groups,
        "use_linear_projection": False,
        "down_block_types": (cross_down, cross_down, cross_down, down),
        "up_block_types": (up, cross_up, cross_up, cross_up),
    }
    unet = UNet2DConditionModel(**arguments)
    return ReferenceUNet(unet, _ranks(shapes, unet) if with_pairs else None)


def _ranks(shapes: Shapes, unet: UNet2DConditionModel) -> list[Ranks]:
    """The ranks of each cross-attention layer's low-rank pairs."""
    names = {id(module): name for name, module in unet.named_modules()}
    layers: list[Ranks] = []
    for attn in cross_attentions(unet):
        start = key_mapping.unet_source(f"{names[id(attn)]}.").name
        layer: dict[Projection, dict[Half, int]] = {}
        for p in PROJECTIONS:
            down = f"{start}{p}.lora_down"
            layer[p] = {
                "foreground": axis_length(shapes, f"{down}_fg.weight"),
                "background": axis_length(shapes, f"{down}_bg.weight"),
            }
        layers.append(layer)
    return layers


def autoencoder(shapes: Shapes, config: NetworkConfig) -> AutoencoderKL:
    """The VAE."""
    widths = tuple(
        axis_length(shapes, f"{key_mapping.VAE_PREFIX}encoder.down.{i}.block.0.conv1.weight") for i in range(_VAE_LEVELS)
    )
    arguments: dict[str, Any] = {
        "block_out_channels": widths,
        "down_block_types": ("DownEncoderBlock2D",) * _VAE_LEVELS,
        "up_block_types": ("UpDecoderBlock2D",) * _VAE_LEVELS,
        "layers_per_block": 2,
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
