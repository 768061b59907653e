"""The golden vectors: tiny checkpoints in published format, inputs, and the outputs of the networks for them.

The folder is named by the environment variable ``LINEWASH_GOLDEN`` (default: ``tests/golden``), so that other draws of the
same tensors are checked by the same tests.  ``covers`` ties a test to the outputs it reproduces; ``test_coverage`` lists those
that no test reproduces.
"""

import atexit
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

FOLDER = Path(os.environ.get("LINEWASH_GOLDEN") or Path(__file__).resolve().parent.parent / "golden")
VERSIONS = ("v1", "v1.5", "v2")
"""Those of ColorizeDiffusion."""
ANIME = "animediffusion"
FILES = {
    "v1": "mult-eps-tiny.safetensors",
    "v1.5": "switch-eps-tiny.safetensors",
    "v2": "v2-tiny.safetensors",
    ANIME: "adf-tiny.safetensors",
}
SINGLE_PASS = 1e-4
SIX_STEPS = 1e-3
TEN_STEPS = 5e-4
MANY_PASSES = ("ddim", "fix_forward", "phase2.", "fine_tune_method.")
"""Outputs of AnimeDiffusion to which many passes of the network lead; its tolerances are shares of the largest value."""


@dataclass(frozen=True)
class Golden:
    """One file of golden vectors.

    ``sd`` is a checkpoint file as published (float32, VAE in 16 bit, schedule buffers, CLIP inside) with its configuration
    beside it, where it needs one; ``config`` is the golden file's own description of the networks.  Names go without ``in.``
    and ``out.``.
    """

    version: str
    sd: Path
    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]
    config: Mapping[str, Any]

    def image(self, name: str) -> Tensor:
        """Image ``name`` (without ``_u8``), float32 NCHW in [-1, 1]."""
        return self.inputs[f"{name}_u8"].float() / 127.5 - 1

    def mask(self, name: str) -> Tensor:
        """Mask ``name`` (without ``_u8``), float32 (1, 1, H, W) in [0, 1], 1 = character."""
        return self.inputs[f"{name}_u8"].float() / 255

    def sketch(self) -> Tensor:
        """The sketch encoder's input: lines +1, paper -1."""
        return -self.image("sketch")


@dataclass(frozen=True)
class Output:
    """One expected output of one golden file; ``check`` compares with it."""

    version: str
    name: str

    @property
    def golden(self) -> Golden:
        """The file it stands in."""
        return golden(self.version)

    @property
    def expected(self) -> Tensor:
        """The tensor itself."""
        return self.golden.outputs[self.name]

    @property
    def tolerance(self) -> float:
        """Largest absolute difference."""
        if self.version == ANIME:
            share = TEN_STEPS if self.name.startswith(MANY_PASSES) else SINGLE_PASS
            return share * float(self.expected.abs().max())
        return SIX_STEPS if self.name.startswith("sample.") else SINGLE_PASS

    def difference(self, actual: Tensor) -> float:
        """Largest absolute difference from what is expected; the shapes must be equal."""
        expected = self.expected
        assert actual.shape == expected.shape, f"{self.name}: {tuple(actual.shape)} is not {tuple(expected.shape)}"
        return float((actual.double() - expected.double()).abs().max())

    def check(self, actual: Tensor) -> None:
        """``actual`` has the expected shape and differs nowhere by more than ``tolerance``."""
        difference = self.difference(actual)
        assert difference <= self.tolerance, f"{self.name} is off by {difference:.3g}"  # NaN fails as well


def description(version: str) -> dict[str, Any]:
    """The golden file's own words: configuration, and shape and meaning of every tensor."""
    return json.loads((FOLDER / f"{version}.json").read_text(encoding="utf-8"))


def names(version: str) -> list[str]:
    """Names of all outputs, without ``out.``."""
    return [name[4:] for name in description(version)["tensors"] if name.startswith("out.")]


def covers(*patterns: str, versions: tuple[str, ...] = VERSIONS) -> pytest.MarkDecorator:
    """Runs the test once for every output that fits a pattern (``fnmatch``), as argument ``output``; it must ``check`` it."""
    found = [Output(v, name) for v in versions for name in names(v) if any(fnmatchcase(name, p) for p in patterns)]
    assert found, f"no output fits {patterns}"
    return pytest.mark.parametrize("output", [pytest.param(output, id=f"{output.version}:{output.name}") for output in found])


def published_format(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The stored weights as a published file holds them: float32, but the VAE in 16 bit."""
    return {name: x if name.startswith("first_stage_model.") else x.float() for name, x in tensors.items()}


def beside(config: Mapping[str, Any]) -> dict[str, int]:
    """What the shapes of a checkpoint's tensors do not tell, as the JSON file beside the checkpoint says it."""
    return {
        "head_dim": config["unet"]["head_dim"],
        "groups": config["unet"]["group_norm_groups"],
        "vae_groups": config["vae"]["group_norm_groups"],
        "vision_heads": config["clip"]["vision"]["heads"],
        "text_heads": config["clip"]["text"]["heads"],
        "token_head_dim": config.get("token_transformer", {}).get("head_dim", 64),
    }


def write_checkpoint(version: str, folder: Path) -> Path:
    """Write the golden weights of ``version`` as a checkpoint with its configuration into ``folder``; return the file."""
    with safe_open(FOLDER / f"{version}.safetensors", "pt") as file:  # type: ignore[no-untyped-call]
        weights = {name[3:]: file.get_tensor(name) for name in file.keys() if name.startswith("sd.")}  # noqa: SIM118
    path = folder / FILES[version]
    save_file(published_format(weights), path)
    if version != ANIME:  # shapes tell everything of it
        path.with_suffix(".json").write_text(json.dumps(beside(description(version)["config"])), encoding="utf-8")
    return path


@cache
def golden(version: str) -> Golden:
    """The golden vectors of ``version``; the checkpoint lies in a folder that is removed when the tests end."""
    folder = Path(tempfile.mkdtemp(prefix="linewash-golden-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with safe_open(FOLDER / f"{version}.safetensors", "pt") as file:  # type: ignore[no-untyped-call]
        tensors = {name: file.get_tensor(name) for name in file.keys() if not name.startswith("sd.")}  # noqa: SIM118
    return Golden(
        version=version,
        sd=write_checkpoint(version, folder),
        inputs={name[3:]: x for name, x in tensors.items() if name.startswith("in.")},
        outputs={name[4:]: x for name, x in tensors.items() if name.startswith("out.")},
        config=description(version)["config"],
    )
