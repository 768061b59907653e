"""Memory and time of loading a full-size v1.5 checkpoint.

    python benchmarks/loading.py [--dtype float32] [--folder FOLDER]

The file has the published names, shapes and types, and zeros for weights; it takes no room on the disk, so the time is that of
reading from memory.  Baseline "stored": the size of the file.  "peak" is the most the process held while loading (VmHWM, so
Linux only) above what it held before, with torch, diffusers and transformers imported already; "imports" is what it held
before.  CLIP is the golden files' tiny one, so that the numbers are the checkpoint's own.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def memory_bytes(name: str) -> int:
    """Bytes of one line of this process's status: VmRSS now, VmHWM at most so far."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name + ":"))


def _child(checkpoint: Path, clip: Path, dtype: str) -> None:
    import torch

    from backend.families.colorizediffusion.checkpoint.loader import load_parts

    torch.set_num_threads(1)
    before, start = memory_bytes("VmRSS"), time.perf_counter()
    parts = load_parts(checkpoint, {"clip-vit-h-14": clip}, dtype=getattr(torch, dtype))
    took = time.perf_counter() - start
    assert "token_transformer" in parts.extras
    result = {
        "before": before,
        "peak": memory_bytes("VmHWM") - before,
        "after": memory_bytes("VmRSS") - before,
        "seconds": took,
    }
    print(json.dumps({**result, "size": checkpoint.stat().st_size}))


def measure(checkpoint: Path, clip: Path, dtype: str = "float32") -> dict[str, float]:
    """Bytes and seconds of loading ``checkpoint`` in a process of its own: before, peak, after, size, seconds."""
    command = [sys.executable, __file__, "--child", str(checkpoint), str(clip), "--dtype", dtype]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Print one row for each type."""
    sys.path.insert(0, str(ROOT))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dtype", choices=("float32", "bfloat16", "float16"), action="append")
    parser.add_argument("--folder", type=Path, help="where to make the files; a temporary folder when absent")
    parser.add_argument("--child", nargs=2, type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    types = arguments.dtype or ["float32", "bfloat16"]
    if arguments.child:
        checkpoint, clip = arguments.child
        return _child(checkpoint, clip, types[0])
    from tests.parity.files import clip_alone, manifest, sparse

    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        checkpoint = folder / "switch-eps.safetensors"
        stored = sparse(checkpoint, manifest("switch"))
        clip = clip_alone("v1.5", folder, lambda key: key)
        print(f"{'blocks in':12} {'stored':>9} {'peak':>9} {'peak/stored':>12} {'after':>9} {'imports':>9} {'seconds':>8}")
        for dtype in types:
            result = measure(checkpoint, clip, dtype)
            columns = [f"{result[key] / 1e9:6.2f} GB" for key in ("peak", "after", "before")]
            ratio = result["peak"] / stored
            print(f"{dtype:12} {stored / 1e9:6.2f} GB {columns[0]:>9} {ratio:12.3f} {columns[1]:>9} {columns[2]:>9}", end="")
            print(f" {result['seconds']:8.1f}")
    return None


if __name__ == "__main__":
    main()
