"""Both phases of AnimeDiffusion by the product's tasks: losses, gradients and learning rates against the golden vectors."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor, nn

from backend.families.animediffusion import key_mapping
from backend.training.animediffusion.batch import Batch, BatchConfig, lines_to_tensor
from backend.training.animediffusion.config import cosine_with_warmup
from backend.training.animediffusion.dataset import FacePairs, center_square
from backend.training.animediffusion.export import schedule_buffers
from backend.training.animediffusion.phases import InitialNetwork, Phase, Phase1, Phase2
from backend.training.colorizediffusion.augment import to_signed_tensor
from tests.parity.golden import ANIME, Golden, Output, covers, golden

ONLY = (ANIME,)
EPOCHS = 200
ROUNDING = 1e-6
NUDGES = 12


@pytest.fixture(autouse=True)
def _gradients(_no_gradients: None) -> Iterator[None]:
    with torch.enable_grad():
        yield


@cache
def pair(tmp: Path) -> FacePairs:
    """The golden image in the benchmark's layout."""
    color = golden(ANIME).inputs["data.image_u8"].numpy()
    for folder, image in (("reference", color), ("condition", 255 - color)):
        (tmp / folder).mkdir(parents=True)
        Image.fromarray(image).save(tmp / folder / "one.png")
    return FacePairs(tmp)


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> FacePairs:
    return pair(tmp_path_factory.mktemp("pair"))


def batch(g: Golden, noise: str = "noise") -> Batch:
    given = {name: g.inputs[name].float() for name in ("reference", "condition", "distorted", "step_noise", noise)}
    return Batch(given["reference"], given["condition"], given["distorted"], g.inputs["t"], given[noise], given["step_noise"])


def losses(phase: Phase, given: Batch, dtype: torch.dtype = torch.float32) -> tuple[Tensor, dict[str, Tensor]]:
    """The loss, and gradients by their published names."""
    network: nn.Module = phase.network().to(dtype)
    loss, _ = phase.loss(network, given)
    loss.backward()
    gradients = {name.removeprefix("unet."): p.grad for name, p in network.named_parameters()}
    return loss.detach().reshape(1), {key_mapping.unet_source(name).name: x for name, x in gradients.items() if x is not None}


def nudged(given: Batch, nudge: int) -> Batch:
    """The batch with noises moved by a few roundings of float32; nudge 0 is the batch itself."""
    moved = ROUNDING * torch.randn(given.step_noise.shape, generator=torch.Generator().manual_seed(nudge))
    return given if nudge == 0 else given._replace(step_noise=given.step_noise + moved)


@cache
def learned(phase: str, tmp: Path) -> tuple[Tensor, dict[str, Tensor]]:
    start, settings = InitialNetwork(golden(ANIME).sd), BatchConfig()
    of: dict[str, Phase] = {"phase1": Phase1(pair(tmp), start, settings, "sum"), "phase2": Phase2(pair(tmp), start, settings)}
    return losses(of[phase], batch(golden(ANIME)))


@cache
def learned_by_sampling(tmp: Path, way: int) -> dict[str, Tensor]:
    """Phase 2's gradients: in float64 by way 0, in float32 by the others, each with other nudges and way 1 without."""
    given = nudged(batch(golden(ANIME)), max(way - 1, 0))
    dtype = torch.float32 if way else torch.float64
    given = Batch(*(x.to(dtype) if x.is_floating_point() else x for x in given))
    return losses(Phase2(pair(tmp), InitialNetwork(golden(ANIME).sd), BatchConfig()), given, dtype)[1]


@covers("phase1.*", "phase2.loss", versions=ONLY)
def test_losses_and_gradients(output: Output, data: FacePairs) -> None:
    phase, _, what = output.name.partition(".")
    loss, gradients = learned(phase, data.folder)
    output.check(loss if what == "loss" else gradients[what.removeprefix("grad.")])


@covers("phase2.grad.*", versions=ONLY)
def test_gradients_through_every_step(output: Output, data: FacePairs) -> None:
    """A pixel that stands at the edge of clamping passes its gradient on or not as the processor rounds float32, which moves
    the whole by 1e-3.  Float64 falls the same way on every processor; where the golden run rounded it the other way, float32 or
    one with noises nudged by a few roundings does so, too.  The tolerance is that of everything else."""
    name = output.name.removeprefix("phase2.grad.")
    ways = (learned_by_sampling(data.folder, way)[name] for way in range(NUDGES + 1))
    exact = learned_by_sampling(data.folder, 0)[name]
    output.check(next((way for way in ways if output.difference(way) <= output.tolerance), exact))


def test_every_weight_gets_a_gradient(data: FacePairs) -> None:
    names = learned("phase1", data.folder)[1].keys()
    assert names == learned("phase2", data.folder)[1].keys() and len(names) == 250


@covers("fine_tune_method.loss", versions=ONLY)
def test_tuning_from_pure_noise(output: Output, data: FacePairs) -> None:
    phase = Phase2(data, InitialNetwork(golden(ANIME).sd), BatchConfig(), "sum", "random", eta=0.0)
    with torch.no_grad():
        loss, metrics = phase.loss(phase.network(), batch(golden(ANIME), "x_t"))
    output.check(loss.reshape(1))
    assert metrics["error"] == pytest.approx(float(loss) / output.golden.inputs["x_t"].numel())


@covers("fix_forward*", versions=ONLY)
def test_tuning_begins_where_the_image_leads_to(output: Output, data: FacePairs) -> None:
    initial_noise = "inverted" if output.name.endswith("with_t") else "published"
    phase = Phase2(data, InitialNetwork(golden(ANIME).sd), BatchConfig(), initial_noise=initial_noise)
    output.check(phase.network().initial_noise(batch(golden(ANIME))))


@covers("lr.value", versions=ONLY)
def test_learning_rates(output: Output) -> None:
    epochs = output.golden.inputs["lr.epoch"].tolist()
    output.check(torch.tensor([cosine_with_warmup(epoch / EPOCHS, 1 / EPOCHS, 1e-4) for epoch in epochs]))


@covers("data.*", versions=ONLY)
def test_images_as_they_are_learned(output: Output, data: FacePairs) -> None:
    face = data.read(0)
    side = output.expected.shape[-1]
    if output.name == "data.reference":
        output.check(to_signed_tensor([center_square(face.color, side)])[0])
    else:
        output.check(lines_to_tensor([center_square(face.lines, side)])[0])


def test_the_schedule_is_the_published_files(data: FacePairs) -> None:
    stored = load_file(golden(ANIME).sd)
    assert set(schedule_buffers()) == set(key_mapping.SCHEDULE_BUFFERS)
    for name, vector in schedule_buffers().items():
        assert torch.allclose(vector, stored[name], rtol=1e-5, atol=1e-7), name


def test_batches_hold_what_was_drawn(data: FacePairs) -> None:
    plain = Phase1(data, InitialNetwork(), BatchConfig(3, 64, warp=None), "mean").batch(np.random.default_rng(0))
    assert torch.equal(plain.reference, plain.color) and plain.step_noise.shape == (0, 3, 3, 64, 64)
    hidden = BatchConfig(4, 64, reference_dropout=1.0, line_dropout=1.0)
    first = Phase2(data, InitialNetwork(), hidden).batch(np.random.default_rng(0))
    assert (first.reference == 0).all() and (first.lines == 1).all() and first.step_noise.shape == (10, 4, 3, 64, 64)
    again = Phase2(data, InitialNetwork(), hidden).batch(np.random.default_rng(0))
    assert all(torch.equal(one, other) for one, other in zip(first, again, strict=True))
