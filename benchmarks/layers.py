"""Time and memory of the last stage (``compose_layers``) at canvas size, against bicubic upscaling in the same run.

    python benchmarks/layers.py [--side 4096] [--threads 2] [--repeat 3]

Baseline "bicubic": the 128-cell field enlarged with OpenCV's cubic interpolation, the mask as alpha, the
background with the hole of the foreground, and the same three RGBA images as result.  It bleeds over every line; it is here
as the least work any method can do.  Each method runs in a process of its own; memory is the growth of the peak resident
size over the size before the call, results included.  On a busy machine the processor time says more than the clock.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np

METHODS = ("bicubic", "flats", "painted")


def _child(method: str, side: int, repeat: int) -> None:
    from backend.contract.drawing import Colors, Drawing
    from backend.imaging.resize import resize
    from backend.imaging.segmentation.regions import merge_and_split, segment
    from backend.pipeline.layers import compose_layers
    from backend.pipeline.prepare import working_size

    def drawing(n: int) -> Drawing:
        ink, mask = _line_drawing(n)
        small = resize(ink, *working_size(n, n))
        regions = merge_and_split(segment(small, 0.04), resize(mask, *small.shape[::-1]), 160)
        return Drawing(ink, mask, regions, ())

    def colors(d: Drawing) -> Colors:
        rng = np.random.default_rng(0)
        flats = rng.integers(40, 255, (d.regions.count, 3)).astype(np.uint8)
        shaded = flats[d.regions.labels].astype(np.float32) / 255
        field = cv2.resize(shaded, (128, 128), interpolation=cv2.INTER_AREA)
        return Colors(flats, field if method != "flats" else None)

    def compose(d: Drawing, c: Colors) -> object:
        return _bicubic(d, c) if method == "bicubic" else compose_layers(d, c)

    cv2.setNumThreads(int(os.environ["NUMBA_NUM_THREADS"]))
    start = time.perf_counter()
    warm = drawing(300)
    compose(warm, colors(warm))
    compile_s = time.perf_counter() - start
    d = drawing(side)
    c = colors(d)
    before = _resident()
    seconds, processor = [], []
    for _ in range(repeat):
        start, start_processor = time.perf_counter(), time.process_time()
        result = compose(d, c)
        seconds.append(time.perf_counter() - start)
        processor.append(time.process_time() - start_processor)
        del result
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(
        json.dumps(
            {
                "seconds": min(seconds),
                "processor": min(processor),
                "bytes": peak - before,
                "warm_up_s": compile_s,
                "regions": d.regions.count,
            }
        )
    )


def _bicubic(d, c):
    from backend.imaging.compositing import composite

    height, width = d.ink.shape
    rgb = cv2.resize(np.clip(c.field * 255, 0, 255).astype(np.uint8), (width, height), interpolation=cv2.INTER_CUBIC)
    foreground = np.dstack([rgb, d.mask])
    background = np.dstack([rgb, np.full_like(d.mask, 255)])
    return foreground, background, composite(foreground, background)


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def _line_drawing(side: int) -> tuple[np.ndarray, np.ndarray]:
    """Ink and mask (side, side): a character of overlapping outlines with hair strokes, before a horizon; thin, sharp lines."""
    rng = np.random.default_rng(1)
    ink = np.zeros((side, side), np.uint8)
    mask = np.zeros((side, side), np.uint8)
    thick = max(1, side // 700)

    def outline(cx, cy, rx, ry, wobble):
        t = np.linspace(0, 2 * np.pi, 240)
        phase = rng.uniform(0, 6.3, 3)
        r = 1 + wobble * sum(np.sin((k + 3) * t + p) for k, p in enumerate(phase)) / 3
        points = np.stack([cx + rx * r * np.cos(t), cy + ry * r * np.sin(t)], 1) * side
        return [np.rint(points * 16).astype(np.int32)]

    horizon = [np.rint(np.array([[0, 0.6], [0.4, 0.55], [1, 0.62]]) * side * 16).astype(np.int32)]
    cv2.polylines(ink, horizon, False, 255, thick, cv2.LINE_AA, 4)
    for cx, cy, rx, ry in ((0.5, 0.3, 0.16, 0.19), (0.5, 0.72, 0.2, 0.3), (0.33, 0.7, 0.06, 0.2), (0.67, 0.7, 0.06, 0.2)):
        shape = outline(cx, cy, rx, ry, 0.06)
        cv2.fillPoly(mask, shape, 255, cv2.LINE_AA, 4)
        cv2.polylines(ink, shape, True, 255, thick, cv2.LINE_AA, 4)
    for _ in range(60):
        cx, cy = rng.uniform(0.35, 0.65), rng.uniform(0.15, 0.9)
        cv2.polylines(
            ink, outline(cx, cy, rng.uniform(0.01, 0.05), rng.uniform(0.02, 0.08), 0.2), True, 255, thick, cv2.LINE_AA, 4
        )
    return ink, mask


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--side", type=int, default=4096)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--child", choices=METHODS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        _child(options.child, options.side, options.repeat)
        return
    environment = dict(os.environ, NUMBA_NUM_THREADS=str(options.threads), OMP_NUM_THREADS=str(options.threads))
    root = str(Path(__file__).resolve().parents[1])
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [root, environment.get("PYTHONPATH", "")]))
    results = {}
    for method in METHODS:
        command = [sys.executable, __file__, "--child", method, "--side", str(options.side), "--repeat", str(options.repeat)]
        done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
        results[method] = json.loads(done.stdout.splitlines()[-1])
    base = results["bicubic"]
    print("layers at %d x %d, %d threads, best of %d" % (options.side, options.side, options.threads, options.repeat))
    for method in METHODS:
        r = results[method]
        print(
            "%-8s %5.2f s (%4.1f x bicubic), %5.2f s of processor time   peak +%5.0f MB (%4.2f x)   %d regions, warm-up %.1f s"
            % (
                method,
                r["seconds"],
                r["seconds"] / base["seconds"],
                r["processor"],
                r["bytes"] / 1e6,
                r["bytes"] / base["bytes"],
                r["regions"],
                r["warm_up_s"],
            )
        )


if __name__ == "__main__":
    main()
