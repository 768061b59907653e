"""What the flats network sees in every set, kept beside it: the reference's colors where the drawing points.

The painted network learns from it.  It is computed once, with the flats network as it is by then, because running both networks
in every step would double the time of a training.
"""

from pathlib import Path

import cv2
import numpy as np
import torch

from backend.families.runtime.network_loader import to_device
from backend.networks.mini.field_denoiser import warp_colors
from backend.networks.mini.flats import CELLS, Flats
from backend.training.mini.flats_example import flats_item
from backend.training.mini.flats_task import stack_sets

WARPED = "warped.npy"
AT_ONCE = 16


def warp_sets(network: Flats, rows: list[dict[str, np.ndarray]]) -> np.ndarray:
    """(n, CELLS, CELLS, 4) uint8: sRGB and certainty of ``warp`` for sets as the store gives them."""
    device = next(network.parameters()).device
    batch = to_device(stack_sets([flats_item(row, None) for row in rows]), device)
    small = [cv2.resize(row["refsmall"], (CELLS, CELLS), interpolation=cv2.INTER_AREA).reshape(-1, 3) for row in rows]
    colors = torch.from_numpy(np.stack(small).astype(np.float32) / 255).to(device)
    with torch.inference_mode():
        answer = network(batch.drawing, batch.reference, batch.palette, batch.allowed)
        found = warp_colors(answer.correspondence, colors)
    return np.rint(found.clamp(0, 1).permute(0, 2, 3, 1).cpu().numpy() * 255).astype(np.uint8)


def precompute_warps(network: Flats, cache: Path) -> int:
    """Add ``warp_reference_colors.npy`` to every prepared shard that has none; the number of sets looked at."""
    network.eval()
    total = 0
    for done in sorted(cache.glob("*/done")):
        folder = done.parent
        if (folder / WARPED).exists():
            continue
        columns = {f.stem: np.load(f, mmap_mode="r", allow_pickle=False) for f in folder.glob("*.npy") if f.stem != "source"}
        count = len(columns["count"])
        rows = [{key: values[i] for key, values in columns.items()} for i in range(count)]
        found = [warp_sets(network, rows[i : i + AT_ONCE]) for i in range(0, count, AT_ONCE)]
        fresh = folder / "warped.new.npy"
        np.save(fresh, np.concatenate(found))
        fresh.rename(folder / WARPED)
        total += count
    return total
