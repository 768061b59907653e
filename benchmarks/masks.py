"""Time and memory of segmenting the foreground of one reference, by the shipped segmenter and by networks that can be added.

    python benchmarks/masks.py [--threads 1]

The added networks are full size and hold random numbers, which take as long as learned ones.  Baseline "shipped": the
segmenter that is used where nothing was added.  Each runs in a process of its own, once; memory is the process's peak, weights
and torch included.  Processor seconds are those of all threads, and say more than the clock where other programs run.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
CASES = ("shipped", "isnet", "birefnet")
SIDE = 1024


def _segmenter(name: str) -> Callable[[np.ndarray], np.ndarray]:
    if name == "isnet":
        from backend.families.foreground.isnet import CharacterSegmenter
        from backend.networks.segmentation.isnet import ISNet

        return CharacterSegmenter(ISNet().eval())
    if name == "birefnet":
        from backend.families.foreground.birefnet import BiRefNetSegmenter
        from backend.networks.segmentation.birefnet import BiRefNet

        return BiRefNetSegmenter(BiRefNet().eval(), SIDE)
    from backend.families.registry import load

    return load("mini", ROOT / "backend" / "data" / "demo").segment_reference


def _child(name: str, threads: int) -> None:
    import torch

    torch.set_num_threads(threads)
    image = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    segmenter = _segmenter(name)
    clock, processor = time.perf_counter(), time.process_time()
    segmenter(image)
    spent = {"clock": time.perf_counter() - clock, "processor": time.process_time() - processor}
    print(json.dumps({**spent, "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--child", choices=CASES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        _child(options.child, options.threads)
        return
    environment = dict(os.environ, NUMBA_NUM_THREADS=str(options.threads), OMP_NUM_THREADS=str(options.threads))
    environment.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the worker does
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), environment.get("PYTHONPATH", "")]))
    print("a mask of %d x %d, %d threads" % (SIDE, SIDE, options.threads))
    for name in CASES:
        command = [sys.executable, __file__, "--threads", str(options.threads), "--child", name]
        done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
        result = json.loads(done.stdout.splitlines()[-1])
        line = "%-9s %6.1f s by the clock, %6.1f s of processor, %5.0f MB"
        print(line % (name, result["clock"], result["processor"], result["memory"]), flush=True)


if __name__ == "__main__":
    main()
