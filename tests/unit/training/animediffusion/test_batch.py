"""What a batch holds: each image with a warp, a time and a dropout of its own."""

from pathlib import Path

import numpy as np
import pytest
import torch

from backend.imaging.thin_plate_warp import ThinPlateWarp
from backend.imaging.types import Rgb
from backend.training.animediffusion.batch import Batch, BatchConfig, draw_batch
from backend.training.animediffusion.dataset import FacePairs


def drawn(faces: Path, seed: int = 0, size: int = 60, **settings: float) -> Batch:
    return draw_batch(FacePairs(faces), np.random.default_rng(seed), BatchConfig(size, 8, warp=None, **settings))  # type: ignore[arg-type]


def test_images_are_warped_each_by_its_own_warp_and_before_they_are_downscaled(faces: Path) -> None:
    calls: list[tuple[tuple[int, ...], ThinPlateWarp]] = []

    def invert(rgb: Rgb, warp: ThinPlateWarp) -> Rgb:
        calls.append((rgb.shape, warp))
        return 255 - rgb

    batch = draw_batch(FacePairs(faces), np.random.default_rng(0), BatchConfig(4, 16, warp=invert))
    assert {shape for shape, _ in calls} == {(64, 64, 3)} and len({warp for _, warp in calls}) == 4
    torch.testing.assert_close(batch.reference, -batch.color, atol=1 / 127, rtol=0)


def test_every_image_has_a_time_of_its_own_out_of_all(faces: Path) -> None:
    times = torch.cat([drawn(faces, seed).time for seed in range(40)])
    assert times.min() < 10 and times.max() > 989 and times.max() <= 999
    assert len(set(drawn(faces).time.tolist())) > 40
    assert float(times.float().mean()) == pytest.approx(499.5, abs=25)


def test_images_are_dropped_one_by_one(faces: Path) -> None:
    batch = drawn(faces, size=400, reference_dropout=0.25, line_dropout=0.5)
    references = (batch.reference == 0).flatten(1).all(1)
    lines = (batch.lines == 1).flatten(1).all(1)
    assert 0.17 < float(references.float().mean()) < 0.33 and 0.42 < float(lines.float().mean()) < 0.58
    assert 0.05 < float((references & lines).float().mean()) < 0.2  # neither follows the other
    assert not (batch.color == 0).flatten(1).all(1).any()
