"""One drawing with a full-size ColorizeDiffusion v1.5, v2 or XL: memory, seconds, and the work saved by exact shortcuts.

    python benchmarks/colorizediffusion.py [--version v2|xl] [--side 768] [--steps 4] [--threads 2] [--mode NAME]
        [--number-format float32]
    python benchmarks/colorizediffusion.py --compare-formats [--side 256] [--steps 4]

The networks are the published ones in shape (with CLIP ViT-H/14), their weights random: the time is that of a real drawing,
its colors are not.  Baseline "plain": the same pass of the same network without the savings, that is with keys and values
of the reference computed at every step and cross-attention to the zero tokens of the unguided row.  "peak" is the
most the process held from its start to the last layer (VmHWM, Linux only).  "revisions" is a new seed, an edited drawing and
another reference, v2 also another background's, after the first drawing: seconds, and calls of each encoder.
"--compare-formats" times bare evaluations of the U-Net in float32 (baseline) and, in turns, in bfloat16, and prints their
ratio.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import cv2  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch import Tensor, nn  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode, sdpa_flop_count  # noqa: E402

from backend.contract.drawing import Inputs  # noqa: E402
from backend.families.colorizediffusion.checkpoint.loader import Parts, load_parts  # noqa: E402
from backend.families.colorizediffusion.factory import use_channels_last  # noqa: E402
from backend.families.colorizediffusion.family import ColorizeDiffusion  # noqa: E402
from backend.families.colorizediffusion.guided_denoiser import Conditioning, GuidedDenoiser  # noqa: E402
from backend.families.diffusion.guidance import Guidance  # noqa: E402
from backend.families.registry import foreground_segmenter  # noqa: E402
from backend.families.runtime.number_format import choose_number_format, device_has_bfloat16  # noqa: E402
from backend.families.runtime.processor import has_bfloat16  # noqa: E402
from backend.networks.colorizediffusion.attention_inputs import CrossAttentionInput  # noqa: E402
from backend.networks.colorizediffusion.hooks import UNetHooks  # noqa: E402
from backend.pipeline.prepare import prepare  # noqa: E402
from backend.pipeline.run import RunResult, colorize  # noqa: E402
from backend.weights.companions import Companion  # noqa: E402
from benchmarks.loading import memory_bytes  # noqa: E402
from shared.devices.device_status import NumberFormat  # noqa: E402
from shared.protocol import ColorizeRequest, ForegroundSource, ReferenceRole  # noqa: E402
from tests.parity.files import manifest, sparse  # noqa: E402


@dataclass(frozen=True)
class Benchmark:
    """What is measured of one version."""

    checkpoint: str
    """Stem of its published file's name."""
    manifest: str
    side: int
    """Of the square that it was trained for."""
    mode: str
    """The mode that computes most."""
    companions: Mapping[Companion, str]
    """Companion -> the manifest with its names and shapes."""


_CLIP: Mapping[Companion, str] = {"clip-vit-h-14": "openclip_vit_h_14"}
_XL: Mapping[Companion, str] = {"clip-vit-bigg-14": "xl_frozen_encoders", "wd-tagger": "xl_frozen_encoders"}
_PREFIXES: Mapping[Companion, str] = {"clip-vit-bigg-14": "cond_stage_model.", "wd-tagger": "img_embedder."}
"""Which names of a manifest are a companion's, where it holds those of several."""
BENCHMARKS = {
    "v1.5": Benchmark("switch-eps", "switch", 512, "both", _CLIP),
    "v2": Benchmark("v2-full", "v2", 768, "style-background", _CLIP),
    "xl": Benchmark("sdxl", "xl", 1024, "masked", _XL),
}


def random_parts(folder: Path, version: str, device: str, wanted: NumberFormat = NumberFormat.AUTOMATIC) -> Parts:
    """The full-size networks, through the product's loader, with random weights of a size that keeps activations near 1."""
    benchmark = BENCHMARKS[version]
    checkpoint = folder / f"{benchmark.checkpoint}.safetensors"
    sparse(checkpoint, manifest(benchmark.manifest))
    companions: dict[Companion, Path] = {}
    for name, listed in benchmark.companions.items():
        companions[name] = folder / f"{name}.safetensors"
        prefix = _PREFIXES.get(name, "")
        sparse(companions[name], {key: shape for key, shape in manifest(listed).items() if key.startswith(prefix)})
    numbers = choose_number_format(device, wanted, device_has_bfloat16, lambda: True)
    parts = load_parts(checkpoint, companions, numbers.dtype, device)
    randomize(parts.networks.values())
    return use_channels_last(parts)


def randomize(networks: Iterable[nn.Module]) -> None:
    """Give every matrix and kernel random weights that keep activations near 1."""
    torch.manual_seed(0)
    with torch.no_grad():
        for network in networks:
            for name, weight in network.named_parameters():
                if weight.ndim > 1:
                    weight.normal_(0, (weight[0].numel()) ** -0.5)
                elif name.endswith("weight"):
                    weight.fill_(1)


def ring_drawing(side: int, radius: float = 0.35) -> np.ndarray:
    """A ring on transparency, RGBA."""
    lines = np.zeros((side, side, 4), np.uint8)
    cv2.circle(lines, (side // 2, side // 2), round(radius * side), (0, 0, 0, 255), max(2, side // 200), cv2.LINE_AA)
    return lines


def random_reference(seed: int) -> np.ndarray:
    """Random blots of color, RGBA."""
    noise = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), np.uint8)
    rgb = cv2.resize(noise, (400, 400), interpolation=cv2.INTER_CUBIC)
    return np.dstack([rgb, np.full((400, 400), 255, np.uint8)])


class EncoderCallCounter:
    """Counts the calls of each encoder."""

    def __init__(self, parts: Parts) -> None:
        networks: dict[str, nn.Module] = {
            "sketch": parts.sketch_encoder,
            "image": parts.image_encoder,
            "vae": parts.vae.encoder,
            **{name: network for name, network in parts.extras.items() if name.endswith("_encoder") or name == "tagger"},
        }
        self._counts = dict.fromkeys(networks, 0)
        for name, network in networks.items():
            network.register_forward_hook(self._counter(name))

    def _counter(self, name: str) -> Any:
        def count(module: nn.Module, inputs: Any, result: Any) -> None:
            self._counts[name] += 1

        return count

    def describe_new(self) -> str:
        """Calls since the last call of this, in words."""
        text = ", ".join(f"{name} {count}" for name, count in self._counts.items() if count) or "none"
        self._counts = dict.fromkeys(self._counts, 0)
        return text


def plain_step(parts: Parts, conditioning: Conditioning, latent: Tensor, t: float) -> Tensor:
    """One guided model evaluation without the savings."""
    attention = conditioning.cross_attention
    rows = replace(attention, context=torch.cat([attention.context, torch.zeros_like(attention.context)]))
    hooks = replace(conditioning.hooks, sketch_features=conditioning.sketch)
    output = parts.unet(latent.expand(2, -1, -1, -1), torch.tensor(t), rows, hooks, conditioning.vector)
    return Guidance(4.0).combine(dict(zip(Guidance(4.0).branches(t), output.chunk(2), strict=True)))


def flop_counter() -> FlopCounterMode:
    """A counter of operations that also counts attention on the CPU, which torch's own leaves out."""

    def attention(query: Any, key: Any, value: Any, *args: Any, **kwargs: Any) -> int:
        return sdpa_flop_count(query, key, value)

    return FlopCounterMode(
        display=False, custom_mapping={torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: attention}
    )


@torch.inference_mode()
def compare(family: ColorizeDiffusion, parts: Parts, inputs: Inputs, steps: int) -> None:
    """Print operations and seconds of ``steps`` evaluations with and without the savings, in turns, and their difference."""
    conditioning = family.condition(prepare(inputs, family), inputs.request).conditioning
    latent = torch.randn(1, 4, *next(iter(conditioning.sketch.values())).shape[-2:], generator=torch.Generator().manual_seed(0))
    times = [999.0 * (1 - i / steps) for i in range(steps)]
    guided = GuidedDenoiser(parts.unet, conditioning, Guidance(4.0))
    with flop_counter() as flops:
        saved = guided(latent, times[0])
    first = flops.get_total_flops()
    with flop_counter() as flops:
        guided(latent, times[0])
    later = flops.get_total_flops()
    with flop_counter() as flops:
        plain = plain_step(parts, conditioning, latent, times[0])
    without = flops.get_total_flops()
    seconds: dict[str, list[float]] = {"with": [], "plain": []}
    for t in times:
        for name, step in (
            ("with", lambda t: guided(latent, t)),
            ("plain", lambda t: plain_step(parts, conditioning, latent, t)),
        ):
            start = time.perf_counter()
            step(t)
            seconds[name].append(time.perf_counter() - start)
    total, all_plain = first + (steps - 1) * later, steps * without
    print(
        f"operations of {steps} steps: {total / 1e12:.2f} T, plain {all_plain / 1e12:.2f} T ({total / all_plain:.3f} of plain)"
    )
    middle = {name: float(np.median(values)) for name, values in seconds.items()}
    print(
        f"seconds a step: {middle['with']:.2f}, plain {middle['plain']:.2f} ({middle['with'] / middle['plain']:.2f} of plain)"
    )
    size = float(plain.abs().mean())
    print(f"largest difference of their outputs: {float((saved - plain).abs().max()):.1e} (mean size {size:.2f})")


@torch.inference_mode()
def compare_formats(folder: Path, version: str, side: int, steps: int) -> None:
    """Print the seconds of the U-Net in float32 and bfloat16, and their ratio."""
    parts = {wanted: random_parts(folder, version, "cpu", wanted) for wanted in (NumberFormat.FLOAT32, NumberFormat.BFLOAT16)}
    blocks = parts[NumberFormat.FLOAT32].version.layers.count
    latent, tokens = torch.randn(2, 4, side // 8, side // 8), torch.randn(2, 256, 1024)
    seconds: dict[NumberFormat, list[float]] = {wanted: [] for wanted in parts}
    for step in range(steps + 1):
        for wanted, networks in parts.items():
            start = time.perf_counter()
            networks.unet(latent, torch.tensor(500.0), CrossAttentionInput(tokens, (1.0,) * blocks, None), UNetHooks())
            if step:  # the first one warms up
                seconds[wanted].append(time.perf_counter() - start)
    middle = {wanted: float(np.median(values)) for wanted, values in seconds.items()}
    wide, narrow = middle[NumberFormat.FLOAT32], middle[NumberFormat.BFLOAT16]
    print(f"this processor has bfloat16: {has_bfloat16()}; {side} x {side}, two rows, median of {steps}")
    print(f"float32 {wide:.2f} s (baseline), bfloat16 {narrow:.2f} s: {narrow / wide:.2f} of it")


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--version", choices=BENCHMARKS, default="v1.5")
    parser.add_argument("--side", type=int, help="default: the version's own")
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--mode", help="default: the one that computes most")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--number-format", type=NumberFormat, default=NumberFormat.AUTOMATIC)
    parser.add_argument("--compare-formats", action="store_true")
    options = parser.parse_args()
    benchmark = BENCHMARKS[options.version]
    side, mode = options.side or benchmark.side, options.mode or benchmark.mode
    torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as name:
        if options.compare_formats:
            compare_formats(Path(name), options.version, side, options.steps)
            return
        parts = random_parts(Path(name), options.version, options.device, options.number_format)
    print(f"loaded: {memory_bytes('VmRSS') / 1e9:.2f} GB held, imports included")
    calls, family = EncoderCallCounter(parts), ColorizeDiffusion(parts, foreground_segmenter(ROOT), None)
    # v2 has a reference of its own for the background.
    roles = (ReferenceRole.BOTH, ReferenceRole.BACKGROUND)[: 2 if options.version == "v2" else 1]
    request = ColorizeRequest(
        side, side, roles, ForegroundSource.AUTOMATIC, options.version, steps=options.steps, guidance=4.0,
        mode=mode, parameters={"size": side},
    )  # fmt: skip
    references = tuple(random_reference(number) for number in range(1, 1 + len(roles)))
    first = Inputs(request, ring_drawing(side), references, None)

    def run(what: str, inputs: Inputs) -> RunResult:
        start = time.perf_counter()
        result = colorize(inputs, family, lambda step: None)
        stages = ", ".join(f"{stage} {seconds:.1f}" for stage, seconds in result.seconds.items())
        print(f"{what}: {time.perf_counter() - start:.1f} s ({stages}); encoder calls: {calls.describe_new()}", flush=True)
        return result

    run(f"first drawing, {side} x {side}, {options.steps} steps", first)
    print(f"peak: {memory_bytes('VmHWM') / 1e9:.2f} GB")
    run("new seed", replace(first, request=replace(request, seed=1)))
    run("edited drawing", replace(first, lines=ring_drawing(side, 0.3)))
    run("another reference", replace(first, references=(random_reference(8), *references[1:])))
    if len(references) > 1:
        run("another background reference", replace(first, references=(references[0], random_reference(9))))
    compare(family, parts, first, options.steps)


if __name__ == "__main__":
    main()
