"""Warp the reference of every example as the flats network points, and store the result beside the example.

The painted network learns from these warped colors.  They are computed once, with the flats network as it is by then, because
running both networks in every step would double the time of training.
"""

from pathlib import Path

import cv2
import numpy as np
import torch

from backend.families.runtime.devices import to_device
from backend.networks.mini.field_denoiser import warp_colors
from backend.networks.mini.flats import CELLS, Flats
from backend.training.mini.flats_example import make_flats_example
from backend.training.mini.flats_task import collate
from backend.training.mini.shard_dataset import ExampleArrays, example_at, load_shard
from shared.atomic_file import replace_atomically

WARP_FILE = "warped.npy"
"""In the folder of a preprocessed shard."""
BATCH_SIZE = 16


def warp_references(network: Flats, examples: list[ExampleArrays]) -> np.ndarray:
    """(n, CELLS, CELLS, 4) uint8: sRGB and certainty, as ``warp_colors`` gives them."""
    device = next(network.parameters()).device
    batch = to_device(collate([make_flats_example(example, None) for example in examples]), device)
    size = (CELLS, CELLS)
    small = [cv2.resize(row["refsmall"], size, interpolation=cv2.INTER_AREA).reshape(-1, 3) for row in examples]
    colors = torch.from_numpy(np.stack(small).astype(np.float32) / 255).to(device)
    with torch.inference_mode():
        output = network(batch.drawing, batch.reference, batch.palette, batch.allowed)
        warped = warp_colors(output.correspondence, colors)
    return np.rint(warped.clamp(0, 1).permute(0, 2, 3, 1).cpu().numpy() * 255).astype(np.uint8)


def precompute_warps(network: Flats, cache: Path) -> int:
    """Add WARP_FILE to every preprocessed shard that has none; the number of examples in these shards."""
    network.eval()
    total = 0
    for done in sorted(cache.glob("*/done")):
        folder = done.parent
        if (folder / WARP_FILE).exists():
            continue
        shard = load_shard(folder)
        count = len(shard["count"])
        examples = [example_at(shard, row) for row in range(count)]
        warped = [warp_references(network, examples[i : i + BATCH_SIZE]) for i in range(0, count, BATCH_SIZE)]
        # Whole or absent: the file's existence says that the shard is done.
        with replace_atomically(folder / WARP_FILE) as part, part.open("wb") as file:
            np.save(file, np.concatenate(warped))
        total += count
    return total
