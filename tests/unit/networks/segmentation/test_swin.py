"""Swin computes what the library transformers computes."""

import pytest
import torch
from torch import Tensor
from transformers import SwinBackbone, SwinConfig

from backend.networks.segmentation.swin import StageSizes, Swin, SwinSizes, relative_position_index


def test_distances_are_numbered_as_published() -> None:
    found = relative_position_index(2)
    assert found.tolist() == [[4, 3, 1, 0], [5, 4, 2, 1], [7, 6, 4, 3], [8, 7, 5, 4]]


def as_transformers_names_it(own: dict[str, Tensor]) -> dict[str, Tensor]:
    """Swin's published names and tensors as the library transformers has them."""
    words = {
        "patch_embed.proj": "swin.embeddings.patch_embeddings.projection",
        "patch_embed.norm": "swin.embeddings.norm",
        "layers.": "swin.encoder.layers.",
        "norm1.": "layernorm_before.",
        "norm2.": "layernorm_after.",
        "attn.proj": "attention.o_proj",
        "attn.relative": "attention.relative_position_bias.relative",
    }
    found: dict[str, Tensor] = {}
    for name, value in own.items():
        if name.startswith("norm"):
            found[f"hidden_states_norms.stage{int(name[4]) + 1}{name[5:]}"] = value
            continue
        for old, new in words.items():
            name = name.replace(old, new)
        if "attn.qkv" in name:
            found |= {
                name.replace("attn.qkv", f"attention.{part}_proj"): v for part, v in zip("qkv", value.chunk(3), strict=True)
            }
        else:
            found[name] = value
    return found


@pytest.mark.parametrize("size", [(128, 160), (134, 201)])
def test_swin_computes_what_transformers_computes(size: tuple[int, int]) -> None:
    torch.manual_seed(2)
    stages = tuple(
        StageSizes(depth, heads, 8 * 2**level) for level, (depth, heads) in enumerate(((2, 1), (1, 2), (3, 2), (2, 4)))
    )
    own = Swin(SwinSizes(4, 3, stages)).eval()
    for name, value in own.state_dict().items():
        if name.endswith("bias_table"):
            value.normal_()
    config = SwinConfig(
        embed_dim=4,
        depths=[stage.depth for stage in stages],
        num_heads=[stage.heads for stage in stages],
        window_size=3,
        mlp_ratio=2.0,
        out_features=["stage1", "stage2", "stage3", "stage4"],
    )
    other = SwinBackbone(config).eval()
    weights = as_transformers_names_it(own.state_dict())
    assert set(other.state_dict()) - set(weights) == {"swin.layernorm.weight", "swin.layernorm.bias"}
    other.load_state_dict(weights, strict=False)
    image = torch.randn(2, 3, *size)
    with torch.inference_mode():
        for found, expected in zip(own(image), other(image).feature_maps, strict=True):
            assert found.shape == expected.shape and torch.allclose(found, expected, atol=1e-5)
