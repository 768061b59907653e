"""What each stage shows its network, and what the network of v1.5 makes of it (spec 21.1 to 21.3)."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from backend.families.colorizediffusion.layers import SD2_LAYERS
from backend.families.diffusion.noise_schedule import alphas_cumprod
from backend.networks.colorizediffusion.attention_inputs import CrossAttentionInput, Split
from backend.networks.colorizediffusion.half_selectors import HardSelector
from backend.networks.colorizediffusion.hooks import UNetHooks
from backend.training.colorizediffusion.batch import Batch
from backend.training.colorizediffusion.dataset import ImageDataset
from backend.training.colorizediffusion.stages.stage import Stage, StartCheckpoint
from backend.training.colorizediffusion.stages.v1 import V1Network, V1Stage
from backend.training.colorizediffusion.stages.v15 import V15Network, V15Stage
from tests.unit.training.colorizediffusion.conftest import settings

WHOLE, NONE = (1.0,) * 16, (0.0,) * 16


class RecordingNetwork:
    """A network that records its inputs."""

    def __init__(self) -> None:
        self.inputs: tuple[Any, ...] = ()

    def __call__(self, *inputs: Any) -> Tensor:
        self.inputs = inputs
        return inputs[0]


def record_inputs(stage: Stage, reference_kept: tuple[float, float] = (1.0, 0.0)) -> tuple[Batch, tuple[Any, ...]]:
    """A batch of two, and what the stage shows of it; the second image's reference is dropped."""
    batch = stage.batch(np.random.default_rng(3))._replace(reference_kept=torch.tensor(reference_kept))
    network = RecordingNetwork()
    stage.predict(network, batch, batch.noise)
    return batch, network.inputs


@pytest.fixture
def v15(plain: Path, v15_checkpoint: Path) -> V15Stage:
    return V15Stage(ImageDataset(plain, masks=True), StartCheckpoint(v15_checkpoint), settings("v15"))


def test_v1_sees_the_image_s_own_tokens_or_none(plain: Path, v1_checkpoint: Path) -> None:
    stage = V1Stage(ImageDataset(plain, masks=False), StartCheckpoint(v1_checkpoint), settings("v1"))
    network = stage.network()
    assert all(weight.requires_grad for weight in network.parameters())
    assert {name.split(".")[0] for name, _ in network.named_parameters()} == {"unet", "sketch_encoder"}
    batch, (noisy, time, sketch, tokens) = record_inputs(stage)
    assert noisy is batch.noise and time is batch.time and sketch is batch.sketch
    torch.testing.assert_close(tokens[0], stage.encode_tokens(batch.reference, batch.warp)[0])
    assert not tokens[1].any() and tokens[0].any()


@pytest.mark.parametrize("layers", [3, 16])
def test_the_networks_have_as_many_strengths_as_their_version_s_row_has_layers(
    layers: int, v1_checkpoint: Path, v15_checkpoint: Path
) -> None:
    kept = torch.ones(1)
    for path, network_class, inputs in (
        (v1_checkpoint, V1Network, (torch.zeros(1, 3, 64, 64), kept)),
        (v15_checkpoint, V15Network, ({}, torch.zeros(1, 256, 64), torch.zeros(1, 256, 64), kept, torch.ones(1, 2), kept)),
    ):
        parts = StartCheckpoint(path).load()
        network = network_class(replace(parts, version=replace(parts.version, layers=replace(SD2_LAYERS, count=layers))))
        seen: list[CrossAttentionInput] = []

        def note_and_stop(_: Any, arguments: tuple[Any, ...], seen: list[CrossAttentionInput] = seen) -> None:
            seen.append(arguments[2])
            raise StopIteration

        parts.unet.register_forward_pre_hook(note_and_stop)
        with pytest.raises(StopIteration):
            network(torch.zeros(1, 4, 8, 8), kept, *inputs)
        assert seen[0].strength == (1.0,) * layers


def test_v1_gets_a_noisy_reference_where_that_is_asked_for(plain: Path, v1_checkpoint: Path) -> None:
    stage = V1Stage(ImageDataset(plain, masks=False), StartCheckpoint(v1_checkpoint), settings("v1", noisy_reference=True))
    stage.network()
    batch = stage.batch(np.random.default_rng(3))._replace(reference_kept=torch.ones(2), time=torch.tensor([400, 950]))
    network = RecordingNetwork()
    stage.predict(network, batch, batch.noise)
    stage.predict(network, batch, batch.noise)  # the noise is the batch's, not the moment's
    clean, noisy = stage.encode_tokens(batch.reference, batch.warp), network.inputs[3]
    abar = torch.from_numpy(alphas_cumprod().copy())
    for one, time in ((0, 400), (1, 49)):
        noise = torch.randn(clean[one].shape, generator=torch.Generator().manual_seed(int(batch.token_seed[one])))
        wanted = abar[time].sqrt() * clean[one] + (1 - abar[time]).sqrt() * noise
        torch.testing.assert_close(noisy[one], wanted.float(), atol=1e-5, rtol=1e-5)
    withheld = batch._replace(reference_kept=torch.zeros(2))
    stage.predict(network, withheld, batch.noise)
    assert not network.inputs[3].any()


def test_latents_are_scaled_samples_of_the_posterior(v15: V15Stage) -> None:
    v15.network()
    batch = v15.batch(np.random.default_rng(3))
    posterior = v15.parts.vae.encode(batch.color).latent_dist  # type: ignore[union-attr]
    torch.testing.assert_close(v15.encode_latent(batch), 0.18215 * (posterior.mean + posterior.std * batch.posterior_noise))


def test_v15_takes_foreground_tokens_from_the_whole_and_background_tokens_without_the_foreground(v15: V15Stage) -> None:
    v15.network()
    batch, (*_, features, foreground, background_tokens, reference_kept, thresholds, mask) = record_inputs(v15)
    assert reference_kept is batch.reference_kept and thresholds is batch.thresholds and mask.shape == (2, 1, 8, 8)
    torch.testing.assert_close(foreground, v15.encode_tokens(batch.reference, batch.warp))
    is_foreground = (batch.reference_mask >= batch.thresholds[:, 1].reshape(2, 1, 1, 1)).expand_as(batch.reference)
    assert 0 < float(is_foreground.float().mean()) < 1
    painted = batch.reference.clone()
    painted[is_foreground] = 1.0
    torch.testing.assert_close(background_tokens, v15.encode_tokens(painted, batch.warp))
    torch.testing.assert_close(features, v15.parts.sketch_encoder(batch.sketch))


def test_v15_divides_by_the_sketch_s_threshold_and_embeds_the_reference_s(v15: V15Stage) -> None:
    network = v15.network()
    assert isinstance(network, V15Network)
    _, (noisy, time, features, foreground, background_tokens, _, _, mask) = record_inputs(v15)
    unet, thresholds = v15.parts.unet, torch.tensor([[0.3, 0.8], [0.3, 0.8]])
    background = network.token_transformer(background_tokens + network.threshold_embedder(torch.tensor([0.8])))
    split = Split(mask, WHOLE, WHOLE, NONE, HardSelector((0.3,) * 16), "foreground", "background")
    hooks = UNetHooks(features)
    context = torch.cat([foreground, background], 1)
    with torch.no_grad():
        prediction = network(noisy, time, features, foreground, background_tokens, torch.ones(2), thresholds, mask)
        without = network(noisy, time, features, foreground, background_tokens, torch.zeros(2), thresholds, mask)
        wanted = unet(noisy, time, CrossAttentionInput(context, WHOLE, split), hooks)
        nothing = unet(noisy, time, CrossAttentionInput(torch.zeros_like(context), WHOLE, split), hooks)
    torch.testing.assert_close(prediction, wanted, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(without, nothing, atol=1e-5, rtol=1e-4)
    assert (prediction - without).abs().max() > 1e-3
