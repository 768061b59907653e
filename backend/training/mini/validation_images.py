"""Contact sheets of validation images: what a network in training makes of drawings it never learns from."""

from itertools import cycle
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from backend.families.runtime.devices import to_device
from backend.imaging.color import to_bytes
from backend.imaging.types import Gray, Rgb
from backend.networks.mini.field_denoiser import LATENT_SCALE
from backend.training.engine.contact_sheet import draw_contact_sheet
from backend.training.engine.task import SheetRenderer
from backend.training.mini.flats_example import make_flats_example
from backend.training.mini.flats_task import collate
from backend.training.mini.foreground_task import ForegroundTask
from backend.training.mini.painted_task import PaintedTask
from backend.training.mini.preprocess import NO_REGION
from backend.training.mini.shard_dataset import ExampleArrays, ShardDataset, example_at, load_shard

SIGMAS = (1.0, 0.7, 0.47, 0.23)
"""Noise levels of the four sampling steps of the painted finish."""


def load_validation_examples(cache: Path, count: int) -> list[ExampleArrays]:
    """``count`` examples, spread evenly over the validation shards (``val_*``) of a cache; none when there are no shards."""
    shards = [load_shard(done.parent) for done in sorted(cache.glob("val_*/done"))]
    examples: list[ExampleArrays] = []
    for number in range(count if shards else 0):
        shard = shards[number % len(shards)]
        row = (number // len(shards)) * len(shard["source"]) * len(shards) // count
        examples.append(example_at(shard, row))
    return examples


class CyclicDataset:
    """Gives out its examples in order instead of at random; takes the place of a ``ShardDataset``."""

    def __init__(self, examples: list[ExampleArrays]) -> None:
        self._examples = cycle(examples)

    def sample(self, rng: np.random.Generator) -> ExampleArrays:
        """The next example; ``rng`` is not used."""
        return next(self._examples)


def create_sheet_renderer(part: str, cache: Path, count: int = 8) -> SheetRenderer | None:
    """The function that draws the sheet of a part of mini; None when the cache has no validation shards."""
    examples = load_validation_examples(cache, count)
    render = {"flats": render_flats_sheet, "painted": render_painted_sheet, "foreground": render_foreground_sheet}[part]
    return (lambda network: render(network, examples)) if examples else None


def render_flats_sheet(network: nn.Module, examples: list[ExampleArrays]) -> Rgb:
    """Lines, reference, the likeliest flats and the true flats; one example a row."""
    batch = _to_network_device(network, collate([make_flats_example(example, None) for example in examples]))
    choices = network(batch.drawing, batch.reference, batch.palette, batch.allowed).log_prob.argmax(-1).cpu().numpy()
    rows: list[list[Rgb]] = []
    for example, choice in zip(examples, choices, strict=True):
        count, ink = int(example["count"]), example["ink"]
        flats = _fill_regions(example["labels"], example["palette"][choice[:count]])
        truth = _fill_regions(example["labels"], example["colors"][:count])
        rows.append([_lines_on_paper(ink), example["refsmall"], _multiply_lines(ink, flats), _multiply_lines(ink, truth)])
    return draw_contact_sheet(("lines", "reference", "flats", "truth"), rows)


def render_painted_sheet(network: Any, examples: list[ExampleArrays]) -> Rgb:
    """Lines, reference, the flats to paint on, the painted image and the truth; one example a row."""
    task = PaintedTask(cast(ShardDataset, CyclicDataset(examples)), len(examples), reference_dropout=0, mask_dropout=0)
    batch = _to_network_device(network, task.batch(np.random.default_rng(0)))
    condition = network.condition(batch.inputs, batch.anchor, batch.drop)
    latent = batch.noise
    for sigma, next_sigma in zip(SIGMAS, (*SIGMAS[1:], 0.0), strict=True):  # Euler steps
        clean = network(latent, torch.full_like(batch.sigma, sigma), condition).float()
        latent = latent + (latent - clean) / sigma * (next_sigma - sigma)
    anchor = batch.anchor
    columns = [
        [_lines_on_paper(_gray_from_tensor(ink)) for ink in batch.inputs.ink],
        *(
            [_rgb_from_tensor(image) for image in images]
            for images in (batch.inputs.reference, anchor, anchor + LATENT_SCALE * latent, anchor + LATENT_SCALE * batch.clean)
        ),
    ]
    return draw_contact_sheet(("lines", "reference", "flats", "painted", "truth"), list(zip(*columns, strict=True)))


def render_foreground_sheet(network: Any, examples: list[ExampleArrays]) -> Rgb:
    """The image (drawings and references in turn), its predicted foreground and the true one; one image a row."""
    task = ForegroundTask(cast(ShardDataset, CyclicDataset(examples)), len(examples))
    batch = _to_network_device(network, task.batch(np.random.default_rng(0)))
    probability = network(batch.lines, batch.rgb, batch.colored).float().sigmoid()
    rows = [
        [
            _rgb_from_tensor(rgb) if bool(colored) else _lines_on_paper(_gray_from_tensor(ink)),
            _gray_rgb_from_tensor(predicted),
            _gray_rgb_from_tensor(truth),
        ]
        for ink, rgb, colored, predicted, truth in zip(
            batch.lines, batch.rgb, batch.colored, probability, batch.mask, strict=True
        )
    ]
    return draw_contact_sheet(("image", "foreground", "truth"), rows)


def _to_network_device(network: nn.Module, batch: Any) -> Any:
    return to_device(batch, next(network.parameters()).device)


def _fill_regions(labels: np.ndarray, colors: Rgb) -> Rgb:
    """Region colors at the size of the labels; white where there is no region."""
    colors_and_white = np.concatenate([colors, np.full((1, 3), 255, np.uint8)])
    return colors_and_white[np.where(labels == NO_REGION, len(colors), np.minimum(labels, len(colors)))]


def _lines_on_paper(ink: Gray) -> Rgb:
    return np.dstack([255 - ink] * 3)


def _multiply_lines(ink: Gray, color: Rgb) -> Rgb:
    """Colors under black lines."""
    return (color.astype(np.uint16) * (255 - ink[..., None].astype(np.uint16)) // 255).astype(np.uint8)


def _gray_from_tensor(image: Tensor) -> Gray:
    """(1, h, w) 0..1 -> (h, w)."""
    return to_bytes(image[0].float().clamp(0, 1).cpu().numpy())


def _gray_rgb_from_tensor(image: Tensor) -> Rgb:
    """(1, h, w) 0..1 -> (h, w, 3)."""
    return np.dstack([_gray_from_tensor(image)] * 3)


def _rgb_from_tensor(image: Tensor) -> Rgb:
    """(3, h, w) 0..1 -> (h, w, 3)."""
    return to_bytes(image.float().clamp(0, 1).permute(1, 2, 0).cpu().numpy())
