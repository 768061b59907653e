"""Builds XL's networks from the shapes of a checkpoint's tensors; see ``network_configs``."""

from typing import Any

from diffusers import UNet2DConditionModel
from transformers import Swinv2Config

from backend.families.colorizediffusion.checkpoint.config import NetworkConfig
from backend.families.colorizediffusion.checkpoint.key_mapping import BACKGROUND_PREFIX, SKETCH_PREFIX, UNET_PREFIX
from backend.families.colorizediffusion.checkpoint.xl_key_mapping import PROJECTION_PREFIX, unet_source
from backend.networks.colorizediffusion.attention_inputs import PROJECTIONS, Ranks
from backend.networks.colorizediffusion.multiscale_sketch_encoder import MultiscaleSketchEncoder
from backend.networks.colorizediffusion.reference.background_network import BackgroundNetwork
from backend.networks.colorizediffusion.reference.context_projection import ContextProjection
from backend.networks.colorizediffusion.transformer_blocks import cross_attentions
from backend.networks.colorizediffusion.unet import ReferenceUNet
from backend.networks.tagger import Tagger
from backend.weights.state_dict import KeyMap, Shapes, axis_length, count_children


def reference_unet(shapes: Shapes, config: NetworkConfig) -> ReferenceUNet:
    """The U-Net; in XL-v2's files it has low-rank pairs for backgrounds."""
    arguments = _unet_arguments(shapes, config, UNET_PREFIX)
    context = axis_length(shapes, f"{UNET_PREFIX}input_blocks.4.1.transformer_blocks.0.attn2.to_k.weight", 1)
    out_channels = axis_length(shapes, f"{UNET_PREFIX}out.2.weight")
    unet = UNet2DConditionModel(**arguments, cross_attention_dim=context, out_channels=out_channels)
    return ReferenceUNet(unet, _ranks(shapes, unet))


def background_network(shapes: Shapes, config: NetworkConfig) -> BackgroundNetwork:
    """XL-v2's network for backgrounds: the same levels, without cross-attention."""
    arguments = _unet_arguments(shapes, config, BACKGROUND_PREFIX)
    return BackgroundNetwork(UNet2DConditionModel(**arguments))


def _unet_arguments(shapes: Shapes, config: NetworkConfig, prefix: str) -> dict[str, Any]:
    """The arguments of diffusers' U-Net, built like SDXL's, from the names under ``prefix``."""
    first = tuple(f"{prefix}input_blocks.{i}." for i in (1, 4, 7))
    widths = tuple(axis_length(shapes, f"{block}0.out_layers.3.weight") for block in first)
    return {  # diffusers' annotations allow tuples of one number only
        "in_channels": axis_length(shapes, f"{prefix}input_blocks.0.0.weight", 1),
        "block_out_channels": widths,
        "layers_per_block": 2,
        "attention_head_dim": tuple(width // config.head_dim for width in widths),  # means heads: diffusers' old name
        "norm_num_groups": config.groups,
        "use_linear_projection": True,
        "transformer_layers_per_block": tuple(count_children(shapes, f"{block}1.transformer_blocks.") or 1 for block in first),
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        "class_embed_type": "projection",
        "projection_class_embeddings_input_dim": axis_length(shapes, f"{prefix}label_emb.0.0.weight", 1),
    }


def _ranks(shapes: Shapes, unet: UNet2DConditionModel) -> list[Ranks]:
    """The ranks of each cross-attention layer's pairs; none where the file has no pairs at all."""
    if not any(name.endswith(".lora_down_background.weight") for name in shapes):
        return [{} for _ in cross_attentions(unet)]
    names = {id(module): name for name, module in unet.named_modules()}
    layers: list[Ranks] = []
    for attn in cross_attentions(unet):
        start = unet_source(f"{names[id(attn)]}.").name
        layers.append({p: {"background": axis_length(shapes, f"{start}{p}.lora_down_background.weight")} for p in PROJECTIONS})
    return layers


def sketch_encoder(shapes: Shapes, config: NetworkConfig) -> MultiscaleSketchEncoder:
    """The sketch encoder."""
    trunk = [axis_length(shapes, f"{SKETCH_PREFIX}model.{2 * i}.weight") for i in range(7)]
    levels = [axis_length(shapes, f"{SKETCH_PREFIX}proj_outs.{i}.weight") for i in range(4)]
    channels = axis_length(shapes, f"{SKETCH_PREFIX}model.0.weight", 1)
    return MultiscaleSketchEncoder(trunk, levels, channels, config.sketch_head_dim)


def context_projection(shapes: Shapes, config: NetworkConfig) -> ContextProjection:
    """The projection of references to the context.  Its heads are as wide as the sketch encoder's."""
    clip = axis_length(shapes, f"{PROJECTION_PREFIX}norm.weight")
    joined = axis_length(shapes, f"{PROJECTION_PREFIX}proj.0.weight", 1)
    width = axis_length(shapes, f"{PROJECTION_PREFIX}proj.0.weight")
    return ContextProjection(clip, joined - clip, width, config.sketch_head_dim)


def tagger(shapes: Shapes, names: KeyMap, config: NetworkConfig) -> Tagger:
    """The tagger.  names: maps its keys to those of the file."""
    patch = names("embeddings.patch_embeddings.projection.weight").name
    prefix = patch.removesuffix("patch_embed.proj.weight")
    levels = count_children(shapes, f"{prefix}layers.")
    scales = [f"{prefix}layers.{i}.blocks.0.attn.logit_scale" for i in range(levels)]
    return Tagger(
        Swinv2Config(
            image_size=config.tagger_side,
            patch_size=axis_length(shapes, patch, 2),
            embed_dim=axis_length(shapes, patch),
            depths=[count_children(shapes, f"{prefix}layers.{i}.blocks.") for i in range(levels)],
            num_heads=[axis_length(shapes, scale) for scale in scales],
            window_size=config.tagger_window,
        ),
        config.tagger_side,
    )
