"""One drawing with a full-size AnimeDiffusion: seconds, memory and operations.

    python benchmarks/animediffusion.py [--side 256] [--steps 10] [--threads 2] [--canvas 1024]

The network is the published one in shape, its weights random: the time is that of a real drawing, its colors are not.
Baseline "bare": as many evaluations of the network alone, on images of that size, with weights laid out as the file has them.
"peak" is the most the process held from its start to the last layer (VmHWM, Linux only).
"""

import argparse
import copy
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402

from backend.contract.drawing import Inputs  # noqa: E402
from backend.families.animediffusion.family import AnimeDiffusion  # noqa: E402
from backend.families.animediffusion.loader import load_unet  # noqa: E402
from backend.families.animediffusion.spec import SPEC  # noqa: E402
from backend.families.registry import foreground_segmenter  # noqa: E402
from backend.networks.animediffusion import AnimeUNet  # noqa: E402
from backend.pipeline.run import colorize  # noqa: E402
from benchmarks.colorizediffusion import flop_counter, random_reference, randomize, ring_drawing  # noqa: E402
from benchmarks.loading import memory_bytes  # noqa: E402
from shared.protocol import ColorizeRequest, ForegroundSource, ReferenceRole  # noqa: E402
from tests.parity.files import manifest, sparse  # noqa: E402


def random_unet() -> AnimeUNet:
    """The full-size network, through the product's loader, with random weights of a size that keeps activations near 1."""
    with tempfile.TemporaryDirectory() as name:
        checkpoint = Path(name) / "ADF.safetensors"
        sparse(checkpoint, manifest("animediffusion"))
        unet = load_unet(checkpoint)
    randomize([unet])
    return unet


@torch.inference_mode()
def measure_bare_network(unet: AnimeUNet, side: int, steps: int) -> tuple[float, float, float]:
    """Seconds of ``steps`` model evaluations on the clock and of the processor, and floating-point operations of one."""
    noisy, lines, time_ = torch.randn(1, 3, side, side), torch.ones(1, 1, side, side), torch.tensor([500])
    with flop_counter() as flops:
        unet(noisy, lines, noisy, time_)
    start, busy = time.perf_counter(), time.process_time()
    for _ in range(steps):
        unet(noisy, lines, noisy, time_)
    return time.perf_counter() - start, time.process_time() - busy, flops.get_total_flops()


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--canvas", type=int, default=1024)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    unet = random_unet()
    as_stored: Any = copy.deepcopy(unet)
    seconds, worked, operations = measure_bare_network(
        as_stored.to(memory_format=torch.contiguous_format), options.side, options.steps
    )
    del as_stored
    print(f"bare: {options.steps} model evaluations at {options.side} pixels, {operations / 1e9:.0f} G operations each")
    print(f"    {seconds:.1f} s, of the processor {worked:.1f} s")
    family = AnimeDiffusion(unet, foreground_segmenter(ROOT))
    request = ColorizeRequest(
        options.canvas, options.canvas, (ReferenceRole.BOTH,), ForegroundSource.AUTOMATIC, SPEC.name, steps=options.steps,
        guidance=1.0, parameters={"size": options.side},
    )  # fmt: skip
    inputs = Inputs(request, ring_drawing(options.canvas), (random_reference(1),), None)
    for what in ("first drawing", "again", "and again"):
        start, busy = time.perf_counter(), time.process_time()
        result = colorize(inputs, family, lambda step: None)
        took, worked = time.perf_counter() - start, time.process_time() - busy
        stages = ", ".join(f"{stage} {seconds:.2f}" for stage, seconds in result.seconds.items())
        print(f"{what}, canvas {options.canvas}: {took:.1f} s, of the processor {worked:.1f} s ({stages})", flush=True)
    print(f"peak: {memory_bytes('VmHWM') / 1e9:.2f} GB")


if __name__ == "__main__":
    main()
