"""Fréchet inception distance, with weights that the user supplies.

M. Heusel, H. Ramsauer, T. Unterthiner, B. Nessler, S. Hochreiter: GANs Trained by a Two Time-Scale Update Rule Converge to a
Local Nash Equilibrium, NeurIPS 2017.  The network is Inception v3 (C. Szegedy et al., CVPR 2016) as TensorFlow's published
graph has it, which differs from others in its pooling; the weights are the file of the package pytorch-fid,
``pt_inception-2015-12-05-6726825d.pth``.
"""

import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from backend.imaging.types import Rgb
from backend.weights.convert import READ_ERRORS

SIDE, EPSILON = 299, 1e-3
"""Side that images are resized to; epsilon of the batch norms."""
NORM = ("running_mean", "running_var", "weight", "bias")
Features = NDArray[np.float64]


class InceptionWeightsError(ValueError):
    """A file does not hold the weights of Inception."""


class Inception:
    """The network up to its last pooling.  Calling it raises InceptionWeightsError when a weight is missing."""

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        self._weights = weights

    @staticmethod
    def load(file: Path) -> "Inception":
        """Read a file of torch.save with torch's restricted loader, and try it on one image.  Raises InceptionWeightsError."""
        try:
            content: Any = torch.load(file, map_location="cpu", weights_only=True)
            if not isinstance(content, Mapping):
                raise InceptionWeightsError(f"{file.name} holds no weights by name")
            inception = Inception(cast(Mapping[str, Tensor], content))
            inception([np.zeros((SIDE, SIDE, 3), np.uint8)])
        except InceptionWeightsError:
            raise
        except (OSError, pickle.UnpicklingError, *READ_ERRORS) as error:  # another kind of file, or weights of other shapes
            raise InceptionWeightsError(f"{file.name} does not hold the weights of Inception: {error}") from error
        return inception

    @torch.inference_mode()
    def __call__(self, images: Sequence[Rgb]) -> Features:
        """(n, 2048): features of n images (h, w, 3) of one size."""
        x = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 127.5 - 1
        x = F.interpolate(x, size=(SIDE, SIDE), mode="bilinear", align_corners=False)
        x = self._convolve(x, "Conv2d_1a_3x3/2", "Conv2d_2a_3x3/v", "Conv2d_2b_3x3")
        x = self._convolve(F.max_pool2d(x, 3, 2), "Conv2d_3b_1x1", "Conv2d_4a_3x3/v")
        x = F.max_pool2d(x, 3, 2)
        # Three blocks at 35 x 35.
        for name in ("5b", "5c", "5d"):
            x = self._mixed(x, name, ("1x1",), ("5x5_1", "5x5_2"), ("3x3dbl_1", "3x3dbl_2", "3x3dbl_3"), pool=_average_pool(x))
        x = self._mixed(x, "6a", ("3x3/2",), ("3x3dbl_1", "3x3dbl_2", "3x3dbl_3/2"))
        seven, double = _numbered_names("7x7_", 3), _numbered_names("7x7dbl_", 5)
        # Four at 17 x 17, whose 7 x 7 kernels are split into rows and columns.
        for name in ("6b", "6c", "6d", "6e"):
            x = self._mixed(x, name, ("1x1",), seven, double, pool=_average_pool(x))
        x = self._mixed(x, "7a", ("3x3_1", "3x3_2/2"), ("7x7x3_1", "7x7x3_2", "7x7x3_3", "7x7x3_4/2"))
        # Two at 8 x 8.  The last one pools by maximum: so does TensorFlow's graph, other ports do not.
        x = self._mixed_last(x, "Mixed_7b.branch", _average_pool(x))
        x = self._mixed_last(x, "Mixed_7c.branch", F.max_pool2d(x, 3, 1, 1))
        return x.mean((2, 3)).double().numpy()

    def _mixed(self, x: Tensor, name: str, *branches: Sequence[str], pool: Tensor | None = None) -> Tensor:
        """An Inception block: branches side by side.  pool: pooled input of the last branch; without it the block halves x."""
        outputs = [self._convolve(x, *(f"Mixed_{name}.branch{part}" for part in branch)) for branch in branches]
        return torch.cat(
            [*outputs, F.max_pool2d(x, 3, 2) if pool is None else self._convolve(pool, f"Mixed_{name}.branch_pool")], 1
        )

    def _mixed_last(self, x: Tensor, branch: str, pool: Tensor) -> Tensor:
        single, double = self._convolve(x, f"{branch}3x3_1"), self._convolve(x, f"{branch}3x3dbl_1", f"{branch}3x3dbl_2")
        split = [self._convolve(single, f"{branch}3x3_2{side}") for side in "ab"]
        split += [self._convolve(double, f"{branch}3x3dbl_3{side}") for side in "ab"]
        return torch.cat([self._convolve(x, f"{branch}1x1"), *split, self._convolve(pool, f"{branch}_pool")], 1)

    def _convolve(self, x: Tensor, *names: str) -> Tensor:
        """Convolutions one after the other.  ``/2`` has stride 2; ``/2`` and ``/v`` are not padded, others keep the size."""
        for spec in names:
            name, _, kind = spec.partition("/")
            try:
                kernel = self._weights[f"{name}.conv.weight"]
                mean, variance, weight, bias = (self._weights[f"{name}.bn.{part}"] for part in NORM)
            except KeyError as error:
                raise InceptionWeightsError(f"the weights of Inception lack {error}") from error
            margin = (0, 0) if kind else (kernel.shape[2] // 2, kernel.shape[3] // 2)
            x = F.conv2d(x, kernel, stride=2 if kind == "2" else 1, padding=margin)
            x = F.relu(F.batch_norm(x, mean, variance, weight, bias, eps=EPSILON))
        return x


def _numbered_names(name: str, count: int) -> tuple[str, ...]:
    return tuple(f"{name}{number}" for number in range(1, count + 1))


def _average_pool(x: Tensor) -> Tensor:
    return F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)


def frechet_distance(one: Features, other: Features) -> float:
    """|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)) of two sets of features (n, d), n of at least 2; 0 = equal.

    The trace of the root is the sum of the roots of the eigenvalues of C1 C2, which are negative by rounding only.
    """
    means, spreads = [x.mean(0) for x in (one, other)], [np.atleast_2d(np.cov(x, rowvar=False)) for x in (one, other)]
    roots = np.sqrt(np.clip(np.linalg.eigvals(spreads[0] @ spreads[1]).real, 0, None))
    return float(((means[0] - means[1]) ** 2).sum() + np.trace(spreads[0]) + np.trace(spreads[1]) - 2 * roots.sum())
