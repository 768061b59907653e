"""Time of a whole coloring in the backend, pixels to layers, with the model: the bundled drawing at several sizes.

    python benchmarks/coloring.py [--threads 2] [--repeat 3]

Baseline "mean color": the reference's mean color poured into the mask, as two layers and their composite; no model, no
regions.  It is here as the least work any coloring can do.  "first" is a drawing that is not cached, with its foreground found
automatically; "again" the same drawing with another seed and a cached condition.  Each size and finish runs in a
process of its own, after a warm-up at another size (numba compiles, torch builds its kernels).
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
CASES = ((1024, "flats"), (1024, "painted"), (4096, "flats"), (4096, "painted"))


def _rgba(path: Path, side: int | None) -> np.ndarray:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)[..., ::-1]
    if side is not None:
        scale = side / max(image.shape[:2])
        scaled = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)[:side, :side]
        image = np.full((side, side, 3), 255, np.uint8)
        image[: scaled.shape[0], : scaled.shape[1]] = scaled
    return np.dstack([image, np.full(image.shape[:2], 255, np.uint8)])


def _child(side: int, finish: str, repeat: int, threads: int) -> None:
    import torch

    from backend.contract.drawing import Inputs
    from backend.families.registry import load
    from backend.pipeline.run import colorize
    from shared.protocol import ColorizeRequest, Finish, ForegroundSource, ReferenceRole

    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)
    data = ROOT / "backend" / "data" / "demo"
    reference = _rgba(data / "reference.png", None)
    family = load("mini", data)

    def run(lines: np.ndarray, seed: int) -> float:
        size = len(lines)
        roles = (ReferenceRole.BOTH,)
        request = ColorizeRequest(size, size, roles, ForegroundSource.AUTOMATIC, "mini", Finish(finish), seed)
        start = time.perf_counter()
        colorize(Inputs(request, lines, (reference,), None), family, lambda step: None)
        return time.perf_counter() - start

    run(_rgba(data / "lines.png", 640), 0)
    first, again = [], []
    for number in range(repeat):
        lines = _rgba(data / "lines.png", side)
        lines[: 2 + number, :2, :3] = 254  # another drawing to the cache, the same to the eye
        first.append(run(lines, 0))
        again.append(run(lines, 1))
    print(
        json.dumps({"first": min(first), "again": min(again), "baseline": min(_mean_color(lines, reference) for _ in range(3))})
    )


def _mean_color(lines: np.ndarray, reference: np.ndarray) -> float:
    from backend.imaging.compositing import composite

    mask = np.full(lines.shape[:2], 255, np.uint8)
    mask[:, : lines.shape[1] // 4] = 0
    start = time.perf_counter()
    color = np.rint(reference[..., :3].reshape(-1, 3).mean(0)).astype(np.uint8)
    poured = np.broadcast_to(color, (*mask.shape, 3))
    composite(np.dstack([poured, mask]), np.dstack([poured, np.full_like(mask, 255)]))
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        _child(int(options.child[0]), options.child[1], options.repeat, options.threads)
        return
    environment = dict(os.environ, NUMBA_NUM_THREADS=str(options.threads), OMP_NUM_THREADS=str(options.threads))
    environment.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the worker does
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), environment.get("PYTHONPATH", "")]))
    print("coloring, %d threads, best of %d, seconds (times the mean color's)" % (options.threads, options.repeat))
    for side, finish in CASES:
        command = [sys.executable, __file__, "--threads", str(options.threads), "--repeat", str(options.repeat)]
        done = subprocess.run(
            [*command, "--child", str(side), finish], env=environment, check=True, capture_output=True, text=True
        )
        result = json.loads(done.stdout.splitlines()[-1])
        base = result["baseline"]
        line = "%d %-8s first %.2f (%.0f x)  again %.2f (%.0f x)  mean color %.3f"
        print(
            line % (side, finish, result["first"], result["first"] / base, result["again"], result["again"] / base, base),
            flush=True,
        )


if __name__ == "__main__":
    main()
