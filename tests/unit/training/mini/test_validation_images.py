"""Contact sheets show validation drawings and what each network makes of them."""

from pathlib import Path

import numpy as np
import pytest
import torch

from backend.networks.mini.field_denoiser import FieldDenoiser
from backend.networks.mini.flats import Flats
from backend.networks.mini.foreground import ForegroundUNet
from backend.training.engine.contact_sheet import CELL, MARGIN
from backend.training.mini.precompute_warp import precompute_warps
from backend.training.mini.preprocess import preprocess_shard
from backend.training.mini.validation_images import create_sheet_renderer, load_validation_examples
from tests.unit.training.shards import write_shard

COLUMNS = {"flats": 4, "painted": 5, "foreground": 3}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache of two validation shards with the warps of a new flats network."""
    folder = tmp_path_factory.mktemp("shards")
    for number in range(2):
        write_shard(folder / f"val_{number}.npz", 3, seed=number)
        preprocess_shard(folder / f"val_{number}.npz", folder / "cache" / f"val_{number}")
    precompute_warps(Flats(), folder / "cache")
    return folder / "cache"


@pytest.mark.parametrize(("part", "network"), [("flats", Flats), ("painted", FieldDenoiser), ("foreground", ForegroundUNet)])
def test_every_part_has_a_sheet_and_the_same_network_the_same(part: str, network: type[torch.nn.Module], cache: Path) -> None:
    torch.manual_seed(0)
    net = network().eval()
    sheet = create_sheet_renderer(part, cache, count=4)
    assert sheet is not None
    with torch.no_grad():
        image, again = sheet(net), sheet(net)
    assert image is not None and again is not None
    assert image.shape == (4 * (CELL + MARGIN) + 20, COLUMNS[part] * (CELL + MARGIN), 3)
    np.testing.assert_array_equal(image, again)
    first = image[20 : 20 + CELL, :CELL].astype(int)
    assert first.max() > 240 and first.min() < 100  # lines on paper
    truth = image[20 : 20 + CELL, (COLUMNS[part] - 1) * (CELL + MARGIN) :][:, :CELL]
    assert len(np.unique(truth.reshape(-1, 3), axis=0)) >= 2


def test_rows_come_from_every_shard(cache: Path) -> None:
    rows = load_validation_examples(cache, 4)
    inks = {row["ink"].tobytes() for row in rows}
    assert len(rows) == 4 and len(inks) == 4
    assert any(np.array_equal(rows[1]["ink"], np.load(cache / "val_1" / "ink.npy")[k]) for k in range(3))


def test_without_validation_drawings_there_is_no_sheet(tmp_path: Path) -> None:
    assert create_sheet_renderer("flats", tmp_path) is None
