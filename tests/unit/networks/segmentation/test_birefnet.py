"""The parts of BiRefNet compute what their definitions say."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import SwinBackbone, SwinConfig

from backend.networks.segmentation.birefnet import PatchOrder, split_into_patches
from backend.networks.segmentation.deformable_conv import DeformableConvolution, deformable_conv2d
from backend.networks.segmentation.swin import StageSizes, Swin, SwinSizes, relative_position_index


def one_by_one(x: Tensor, offset: Tensor, modulation: Tensor, weight: Tensor) -> Tensor:
    """The definition of a deformable convolution, pixel by pixel."""
    _, into, height, width = x.shape
    out, _, rows, columns = weight.shape
    answer = torch.zeros(1, out, height, width)
    for i in range(height):
        for j in range(width):
            for tap in range(rows * columns):
                y = i - rows // 2 + tap // columns + float(offset[0, 2 * tap, i, j])
                x_place = j - columns // 2 + tap % columns + float(offset[0, 2 * tap + 1, i, j])
                seen = torch.zeros(into)
                for row in range(height):
                    for column in range(width):
                        share = max(0.0, 1 - abs(y - row)) * max(0.0, 1 - abs(x_place - column))
                        seen += share * x[0, :, row, column]
                answer[0, :, i, j] += weight[:, :, tap // columns, tap % columns] @ seen * modulation[0, tap, i, j]
    return answer


@pytest.mark.parametrize("kernel", [1, 3])
def test_a_deformable_convolution_is_what_its_definition_says(kernel: int) -> None:
    torch.manual_seed(kernel)
    taps = kernel * kernel
    x, weight = torch.randn(1, 3, 5, 4), torch.randn(2, 3, kernel, kernel)
    offset, modulation = 2 * torch.randn(1, 2 * taps, 5, 4), 2 * torch.rand(1, taps, 5, 4)
    expected = one_by_one(x, offset, modulation, weight)
    assert torch.allclose(deformable_conv2d(x, offset, modulation, weight), expected, atol=1e-5)


@pytest.mark.parametrize("kernel", [1, 3, 7])
def test_without_offsets_it_is_a_convolution(kernel: int) -> None:
    torch.manual_seed(kernel)
    x, part = torch.randn(2, 3, 9, 6), DeformableConvolution(3, 4, kernel)
    for name, value in part.state_dict().items():
        if not name.startswith("regular"):
            value.zero_()  # half of the factors' range 0 to 2 is 1
    expected = F.conv2d(x, part.regular_conv.weight, padding=kernel // 2)
    assert torch.allclose(part(x), expected, atol=1e-5)


@pytest.mark.parametrize("order", ["columns", "channels"])
def test_patches_follow_each_other_as_published(order: PatchOrder) -> None:
    picture = torch.arange(2 * 3 * 8 * 12).float().reshape(2, 3, 8, 12)
    found = split_into_patches(picture, 4, order)
    assert found.shape == (2, 48, 2, 3)
    for row in range(4):
        for column in range(4):
            for channel in range(3):
                place = (column * 4 + row) * 3 + channel if order == "columns" else (channel * 4 + row) * 4 + column
                expected = picture[:, channel, 2 * row : 2 * row + 2, 3 * column : 3 * column + 3]
                assert torch.equal(found[:, place], expected)


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
    held = as_transformers_names_it(own.state_dict())
    assert set(other.state_dict()) - set(held) == {"swin.layernorm.weight", "swin.layernorm.bias"}
    other.load_state_dict(held, strict=False)
    picture = torch.randn(2, 3, *size)
    with torch.inference_mode():
        for found, expected in zip(own(picture), other(picture).feature_maps, strict=True):
            assert found.shape == expected.shape and torch.allclose(found, expected, atol=1e-5)
