"""Edits by words that the golden vectors do not show."""

import torch

from backend.families.colorizediffusion.text.token_editing import Edit, edit_locally, position_weight


def test_weight_is_continuous_and_belongs_to_each_image() -> None:
    similar = torch.stack([torch.linspace(0, 1, 2001), torch.linspace(5, 9, 2001)])[..., None]
    weight = position_weight(similar, torch.tensor([1.0, 2.0])[:, None, None])
    torch.testing.assert_close(weight[1], 2 * weight[0], atol=1e-2, rtol=0)
    jumps = weight[0].diff(dim=0).abs()[..., 0]
    assert (jumps > 0.1).sum() == 1  # from -2 to -1 at the first threshold, as published
    assert weight[0, 0] == -2
    assert weight[0, -1] == 1


def test_where_no_token_stands_out_none_moves() -> None:
    similar = torch.stack([torch.full((16, 1), 0.3), torch.linspace(0, 1, 16)[:, None]])
    weight = position_weight(similar, torch.ones(2, 1, 1))
    assert (weight[0] == 0).all()
    torch.testing.assert_close(weight[1:], position_weight(similar[1:], torch.ones(1, 1, 1)))


def test_a_reference_of_one_color_stays_as_it_is() -> None:
    tokens, text = torch.ones(1, 17, 4), torch.tensor([[[1.0, 0.0, 0.0, 0.0]]])
    assert torch.equal(edit_locally(tokens, Edit(text, None, text, 3.0)), tokens)
