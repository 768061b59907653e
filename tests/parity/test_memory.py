"""Loading holds little more than the weights: measured in a process of its own, on a v1.5 file of a quarter of all widths."""

import json
from pathlib import Path

import pytest

from benchmarks.loading import measure
from tests.parity.files import Shapes, clip_alone, manifest, sparse

LIMIT = 1.15


def narrower(shapes: Shapes) -> Shapes:
    """Every width a quarter, a sixteenth of the weights."""
    return {name: tuple(n // 4 if n >= 64 and n % 4 == 0 else n for n in shape) for name, shape in shapes.items()}


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="the peak of a process is read from Linux's /proc")
@pytest.mark.parametrize(("dtype", "limit"), [("float32", LIMIT), ("bfloat16", 0.7)])
def test_the_peak_of_loading_is_the_weights_and_little_more(tmp_path: Path, dtype: str, limit: float) -> None:
    path = tmp_path / "switch-eps.safetensors"
    size = sparse(path, narrower(manifest("switch")))
    assert size > 250e6
    settings = {"head_dim": 16, "groups": 16, "token_head_dim": 16}
    path.with_suffix(".json").write_text(json.dumps(settings))
    found = measure(path, clip_alone("v1.5", tmp_path, lambda key: key), dtype)
    assert found["size"] == size and found["peak"] >= found["after"] > 0.4 * size
    assert found["peak"] <= limit * size, f"{found['peak'] / size:.3f} times the file's size"
