"""The flats network: probabilities, and regions and cells that it must not attend to."""

import torch

from backend.families.mini.features import GRID
from backend.networks.mini.flats import CELLS, Flats, ImageBatch, Palette


def _image_batch(generator: torch.Generator, regions: int, real: int) -> ImageBatch:
    pool = torch.rand(1, regions, GRID**2, generator=generator)
    return ImageBatch(
        torch.rand(1, 3, 256, 256, generator=generator),
        pool / pool.sum(-1, keepdim=True),
        torch.rand(1, regions, 14, generator=generator),
        torch.arange(regions)[None] < real,
    )


def _palette(generator: torch.Generator, entry: torch.Tensor, size: int, references: int = 1) -> Palette:
    cells = references * CELLS**2
    return Palette(
        torch.rand(1, entry.shape[1], 3, generator=generator),
        entry,
        size,
        torch.rand(references, 3, CELLS, CELLS, generator=generator),
        torch.full((1, cells, size), 1 / size),
        torch.ones(1, cells, 2),
    )


def test_flats_gives_probabilities_of_allowed_colors_only() -> None:
    generator = torch.Generator().manual_seed(0)
    drawing, reference = _image_batch(generator, 5, 5), _image_batch(generator, 6, 6)
    palette = _palette(generator, torch.tensor([[0, 0, 1, 2, 2, 2]]), 3)
    allowed = torch.ones(1, 5, 6, dtype=torch.bool)
    allowed[0, 0, :3] = False
    answer = Flats().eval()(drawing, reference, palette, allowed)
    assert answer.log_prob.shape == (1, 5, 3)
    torch.testing.assert_close(answer.log_prob.exp().sum(-1), torch.ones(1, 5), atol=1e-4, rtol=0)
    assert bool((answer.log_prob[0, 0, :2] < -15).all())


def test_padding_changes_nothing() -> None:
    torch.manual_seed(1)
    network = Flats().eval()
    generator = torch.Generator().manual_seed(2)
    drawing, reference = _image_batch(generator, 7, 4), _image_batch(generator, 9, 6)
    palette = _palette(generator, torch.randint(0, 3, (1, 9), generator=generator), 3)
    allowed = torch.ones(1, 7, 9, dtype=torch.bool)

    def cut(batch: ImageBatch, n: int) -> ImageBatch:
        return ImageBatch(batch.image, batch.pool[:, :n], batch.geometry[:, :n], batch.valid[:, :n])

    padded = network(drawing, reference, palette, allowed).log_prob[:, :4]
    short = palette._replace(lab=palette.lab[:, :6], entry=palette.entry[:, :6])
    plain = network(cut(drawing, 4), cut(reference, 6), short, allowed[:, :4, :6]).log_prob
    torch.testing.assert_close(padded, plain, atol=1e-4, rtol=1e-4)


def test_cells_correspond_within_their_own_layer_only() -> None:
    torch.manual_seed(3)
    generator = torch.Generator().manual_seed(3)
    drawing, reference = _image_batch(generator, 5, 5), _image_batch(generator, 6, 6)
    drawing.image[:, 1] = 1
    palette = _palette(generator, torch.tensor([[0, 0, 1, 2, 2, 2]]), 3)
    foreground = torch.arange(CELLS**2) % 2
    palette = palette._replace(layer_weights=torch.stack([1 - foreground, foreground], -1)[None].float())
    pointing = Flats().eval()(drawing, reference, palette, torch.ones(1, 5, 6, dtype=torch.bool)).correspondence[0]
    torch.testing.assert_close(pointing.sum(-1), torch.ones(CELLS**2), atol=1e-4, rtol=0)
    assert pointing[:, foreground == 1].sum(-1).min() > 0.8


def test_the_order_of_references_does_not_matter() -> None:
    torch.manual_seed(4)
    network = Flats().eval()
    for parameter in network.meeting.parameters():  # a fresh meeting does nothing yet
        torch.nn.init.normal_(parameter, std=0.05)
    generator = torch.Generator().manual_seed(4)
    drawing, first, second = (_image_batch(generator, 5, 5) for _ in range(3))
    allowed = torch.ones(1, 5, 10, dtype=torch.bool)
    palette = _palette(generator, torch.arange(10)[None], 10, references=2)
    turned = palette._replace(lab=palette.lab.roll(5, 1), entry=palette.entry.roll(5, 1), cells=palette.cells.roll(1, 0))

    def joined(one: ImageBatch, other: ImageBatch) -> ImageBatch:
        return ImageBatch(*(torch.cat(pair) for pair in zip(one, other, strict=True)))

    answer = network(drawing, joined(first, second), palette, allowed)
    assert answer.correspondence.shape == (1, CELLS**2, 2 * CELLS**2)
    again = network(drawing, joined(second, first), turned, allowed)
    torch.testing.assert_close(answer.log_prob, again.log_prob, atol=1e-4, rtol=1e-4)
    alone = network(drawing, joined(first, first), palette, allowed)
    assert (alone.log_prob - answer.log_prob).abs().max() > 1e-3
