"""Measuring AnimeDiffusion on faces, and the distance by Inception against the package pytorch-fid."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from typer.testing import CliRunner

from backend.evaluation.animediffusion.cli import app
from backend.evaluation.animediffusion.faces import (
    CROSS,
    SAME,
    FaceOptions,
    colorize_faces,
    measure_faces,
    read_reference,
    reference_number,
)
from backend.evaluation.metrics.fid import Inception, InceptionWeightsError, frechet_distance
from backend.families.animediffusion.loader import load_unet
from backend.training.animediffusion.dataset import FacePairs, center_square
from backend.training.animediffusion.validation_images import paint_faces
from backend.training.colorizediffusion.augment import to_signed_tensor
from backend.training.synthetic.faces import write_faces
from tests.parity.golden import ANIME, golden

KNOWN = json.loads((Path(__file__).parent / "inception.json").read_text(encoding="utf-8"))
NORM = {"running_mean": (-0.1, 0.1), "running_var": (0.5, 1.5), "weight": (0.8, 1.2), "bias": (-0.1, 0.1)}


@pytest.fixture(scope="module")
def weights() -> dict[str, Tensor]:
    rng, tensors = np.random.default_rng(0), dict[str, Tensor]()
    for name, shape in KNOWN["shapes"].items():
        kernel = rng.normal(0, (2 / np.prod(shape[1:])) ** 0.5, shape)
        tensors[f"{name}.conv.weight"] = torch.from_numpy(kernel.astype(np.float32))
        for part, ends in NORM.items():
            tensors[f"{name}.bn.{part}"] = torch.from_numpy(rng.uniform(*ends, shape[0]).astype(np.float32))
    return tensors


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("faces")
    write_faces(folder, 3, 64, seed=6)
    return folder


def test_features_are_those_of_pytorch_fid(weights: dict[str, Tensor]) -> None:
    images = np.random.default_rng(1).integers(0, 256, (2, 60, 80, 3), np.uint8)
    features = Inception(weights)(list(images))
    assert features.shape == (2, 2048)
    assert features[:, ::256] == pytest.approx(np.array(KNOWN["features"]), abs=2e-4)


def test_without_a_weight_it_says_so(weights: dict[str, Tensor]) -> None:
    fewer = {name: weight for name, weight in weights.items() if not name.startswith("Mixed_7c.branch_pool")}
    with pytest.raises(InceptionWeightsError, match=r"Mixed_7c\.branch_pool"):
        Inception(fewer)([np.zeros((60, 60, 3), np.uint8)])


def test_the_distance_of_two_normal_clouds() -> None:
    """For clouds with diagonal spreads a and b it is |m|^2 + sum (sqrt a - sqrt b)^2."""
    rng = np.random.default_rng(0)
    one, other = rng.normal(0, 1, (40_000, 3)), rng.normal((1, 2, 0), (1, 1, 3), (40_000, 3))
    assert frechet_distance(one, other) == pytest.approx(5 + 4, rel=0.02)
    assert frechet_distance(one, one) == pytest.approx(0, abs=1e-9)


def test_references_are_the_face_itself_or_any_other() -> None:
    assert [reference_number(n, 5, SAME, 0) for n in range(5)] == list(range(5))
    others = {(n, reference_number(n, 5, CROSS, seed)) for n in range(5) for seed in range(60)}
    assert others == {(n, m) for n in range(5) for m in range(5) if m != n}


def test_both_protocols_paint_and_differ(faces: Path) -> None:
    unet, data, options = load_unet(golden(ANIME).sd), FacePairs(faces), FaceOptions(side=32, steps=2, batch=2)
    same, again, cross = (list(colorize_faces(unet, data, protocol, options, 3)) for protocol in (SAME, SAME, CROSS))
    assert all(np.array_equal(one[0], other[0]) for one, other in zip(same, again, strict=True))
    assert not all(np.array_equal(one[0], other[0]) for one, other in zip(same, cross, strict=True))
    assert all(result.shape == truth.shape == (32, 32, 3) for result, truth in same)


def test_references_are_warped_unless_asked_not_to(faces: Path, tmp_path: Path) -> None:
    data = FacePairs(faces)
    shown: dict[bool, list[Tensor]] = {}
    unet = load_unet(golden(ANIME).sd)
    for warps in (True, False):
        references: list[Tensor] = []
        handle = unet.register_forward_pre_hook(lambda _, inputs, references=references: references.append(inputs[2]))
        list(colorize_faces(unet, data, SAME, FaceOptions(side=32, steps=1, warp_references=warps), 2))
        handle.remove()
        shown[warps] = references
    own = to_signed_tensor([center_square(data.read(number).color, 32) for number in range(2)])
    assert torch.equal(shown[False][0], own) and not torch.equal(shown[True][0], own)
    shutil.copytree(faces, tmp_path / "twins")
    for part in ("reference", "condition"):  # the same face twice: each is warped by a draw of its own
        shutil.copy(tmp_path / "twins" / part / "00000.png", tmp_path / "twins" / part / "00001.png")
    twins = [read_reference(FacePairs(tmp_path / "twins"), number, SAME, FaceOptions(side=32)) for number in (0, 1, 0)]
    assert np.array_equal(twins[0], twins[2]) and not np.array_equal(twins[0], twins[1])


def test_another_seed_paints_otherwise(faces: Path) -> None:
    unet, data = load_unet(golden(ANIME).sd), FacePairs(faces)
    one, again, other = (
        [
            result
            for result, _ in colorize_faces(
                unet, data, SAME, FaceOptions(side=32, steps=2, seed=seed, warp_references=False), 2
            )
        ]
        for seed in (0, 0, 1)
    )
    assert np.array_equal(one, again) and not np.array_equal(one, other)


def test_painted_numbers_are_rounded() -> None:
    """A network that finds no noise at eta 0 leaves what the clamped image of the first step is."""
    torch.manual_seed(0)
    results = paint_faces(
        _Still(), [np.full((8, 8), 255, np.uint8)] * 40, [np.zeros((8, 8, 3), np.uint8)] * 40, steps=1, eta=0.0
    )
    assert (np.stack(results) != _Still.expected(40)).mean() < 0.01  # rounded down, half of them would be one less


class _Still(torch.nn.Module):
    """Says that an image holds no noise."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, noisy: Tensor, lines: Tensor, reference: Tensor, time: Tensor) -> Tensor:
        return torch.zeros_like(noisy)

    @staticmethod
    def expected(count: int) -> np.ndarray:
        """The noise of seed 0, scaled and cut by one step from time 1, as bytes."""
        alphas = 1 - torch.linspace(1e-6, 1e-2, 1000)
        noise = torch.randn((count, 3, 8, 8), generator=torch.Generator().manual_seed(0))
        clean = (noise / alphas[:2].prod().sqrt()).clamp(-1, 1) * alphas[0].sqrt()
        return ((clean + 1) * 127.5).round().permute(0, 2, 3, 1).numpy().astype(np.uint8)


def test_guidance_pushes_results(faces: Path) -> None:
    unet, data = load_unet(golden(ANIME).sd), FacePairs(faces)
    plain, off, pushed = (
        [result for result, _ in colorize_faces(unet, data, SAME, FaceOptions(side=32, steps=2, **more), 3)]
        for more in ({}, {"guidance": 1.0}, {"guidance": 4.0})
    )
    assert np.array_equal(plain, off) and not np.array_equal(plain, pushed)


def test_metrics_of_known_images(weights: dict[str, Tensor]) -> None:
    truth = [np.full((32, 32, 3), value, np.uint8) for value in (40, 200)]
    metrics = measure_faces(SAME, [(image + 10, image) for image in truth], None, Inception(weights))
    assert metrics.psnr == pytest.approx(20 * np.log10(25.5))
    assert 1 < metrics.difference < 10 and metrics.fid > 0 and np.isnan(metrics.ms_ssim) and np.isnan(metrics.lpips)
    assert measure_faces(SAME, [(truth[0], truth[0])], None, None).psnr == float("inf")
    assert metrics.fid == pytest.approx(_distance(weights, truth))
    large = [np.kron(image, np.ones((6, 6, 1), np.uint8)) for image in truth]
    with_lpips = measure_faces(SAME, [(image, image) for image in large], lambda result, truth: 0.25, None)  # type: ignore[arg-type]
    assert with_lpips.lpips == 0.25 and with_lpips.ms_ssim == 1


def _distance(weights: dict[str, Tensor], truth: list[np.ndarray]) -> float:
    inception = Inception(weights)
    return frechet_distance(inception([image + 10 for image in truth]), inception(truth))


def test_the_command_prints_a_table_and_keeps_the_images(faces: Path, tmp_path: Path) -> None:
    asked = [str(golden(ANIME).sd), str(faces), "--side", "32", "--steps", "1", "--limit", "2", "--out", str(tmp_path)]
    result = CliRunner().invoke(app, asked)
    assert result.exit_code == 0, result.output
    assert SAME in result.output and CROSS in result.output and "PSNR" in result.output
    assert len(list((tmp_path / "same").glob("*.png"))) == len(list((tmp_path / "cross").glob("*.png"))) == 2
    rows = json.loads((tmp_path / "metrics.json").read_text(), parse_constant=pytest.fail)
    assert [row["protocol"] for row in rows] == [SAME, CROSS] and rows[0]["fid"] is None and rows[0]["psnr"] > 0


@pytest.mark.parametrize("wrong", [("--side", "30"), ("--limit", "0")])
def test_nonsense_is_refused(wrong: tuple[str, str], faces: Path) -> None:
    assert CliRunner().invoke(app, [str(golden(ANIME).sd), str(faces), *wrong]).exit_code != 0


def test_the_distance_is_in_the_table_where_weights_are_given(weights: dict[str, Tensor], faces: Path, tmp_path: Path) -> None:
    torch.save(weights, tmp_path / "inception.pth")
    asked = [str(golden(ANIME).sd), str(faces), "--side", "32", "--steps", "1", "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(app, [*asked, "--inception", str(tmp_path / "inception.pth"), "--guidance", "2"])
    assert result.exit_code == 0, result.output
    rows = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert all(row["fid"] > 0 for row in rows) and rows[0]["fid"] != rows[1]["fid"]
    assert (
        rows[0]["fid"] == pytest.approx(float(f"{rows[0]['fid']:.2f}"), abs=0.01) and f"{rows[0]['fid']:.2f}" in result.output
    )


def test_other_files_than_weights_of_inception_are_refused_before_anything_is_painted(
    weights: dict[str, Tensor], faces: Path, tmp_path: Path
) -> None:
    contents = {
        "text": None,
        "list": [torch.zeros(1)],
        "one": torch.zeros(1),
        "fewer": {name: weight for name, weight in weights.items() if "7c" not in name},
        "narrow": {name: weight[:1] for name, weight in weights.items()},
    }
    for name, content in contents.items():
        file = tmp_path / f"{name}.pth"
        torch.save(content, file) if content is not None else file.write_text("junk")
        result = CliRunner().invoke(
            app, [str(golden(ANIME).sd), str(faces), "--inception", str(file), "--out", str(tmp_path / "o")]
        )
        assert result.exit_code == 2 and ("of Inception" in result.output or "by name" in result.output), name
        assert not (tmp_path / "o").exists()


def test_other_weights_are_refused(faces: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.safetensors"
    other.write_bytes(b"no weights")
    result = CliRunner().invoke(app, [str(other), str(faces)])
    assert result.exit_code == 2 and "not a safetensors model" in result.output
