"""The configuration that DeepSpeed gets, checked with Accelerate's own plugin, which needs no DeepSpeed."""

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from accelerate.state import GradientState
from accelerate.utils import DeepSpeedPlugin, DistributedType
from torch import Tensor, nn

from backend.training.engine.config import ACCELERATE_NAMES, Hardware, TrainConfig
from backend.training.engine.distributed import configure_deepspeed, is_sharded, is_wrapped, validate
from backend.training.engine.trainer import Trainer
from shared.devices.device_status import NumberFormat

IMAGES = 3
SIZES = ("train_micro_batch_size_per_gpu", "gradient_accumulation_steps", "train_batch_size")


class Numbers(NamedTuple):
    """Where the network is asked, and what it is to say."""

    x: Tensor
    y: Tensor


class Linear:
    """A task that notes what Accelerate holds of a step while each batch is learned."""

    dataset = SimpleNamespace(refresh=lambda: 0)

    def __init__(self) -> None:
        self.heard: list[tuple[int, bool]] = []

    def network(self) -> nn.Module:
        return nn.Linear(4, 2)

    def batch(self, rng: np.random.Generator) -> Numbers:
        x = torch.from_numpy(rng.standard_normal((IMAGES, 4)).astype(np.float32))
        return Numbers(x, x[:, :2] * 2)

    def loss(self, network: Any, batch: Numbers) -> tuple[Tensor, dict[str, float]]:
        state = GradientState()
        self.heard.append((state.num_steps, state.sync_gradients))
        return (network(batch.x) - batch.y).square().mean(), {}


class Configured(Accelerator):
    """One process on the CPU; it has DeepSpeed's plugin, but does not hand the network over to it."""

    plugin: DeepSpeedPlugin

    @property
    def deepspeed_plugin(self) -> DeepSpeedPlugin:
        return self.plugin


@dataclass(frozen=True)
class Chosen(Hardware):
    """A machine for which ``accelerate config`` chose DeepSpeed and nothing else."""

    stage: int = 2

    def create_accelerator(self) -> Accelerator:
        accelerator = Configured(cpu=True)
        accelerator.plugin = DeepSpeedPlugin(zero_stage=self.stage)
        accelerator.plugin.set_mixed_precision(ACCELERATE_NAMES[self.number_format])
        return accelerator


def test_a_plain_configuration_gets_the_sizes_of_a_step(tmp_path: Path) -> None:
    assert DeepSpeedPlugin(zero_stage=2).is_auto("train_micro_batch_size_per_gpu")  # for this prepare() wants a data loader
    run = Trainer(
        Linear(),
        TrainConfig(steps=2, batches_per_step=4, max_grad_norm=0.5),
        tmp_path,
        Chosen(number_format=NumberFormat.BFLOAT16),
    )
    plugin = run.accelerator.deepspeed_plugin
    assert [plugin.deepspeed_config[name] for name in SIZES] == [IMAGES, 4, IMAGES * 4]
    plugin.deepspeed_config_process(  # what prepare() holds against it, must_match: raises where the two differ
        train_batch_size=IMAGES * 4, train_micro_batch_size_per_gpu=IMAGES, gradient_accumulation_steps=4
    )
    assert plugin.deepspeed_config["gradient_clipping"] == 0.5
    assert plugin.deepspeed_config["bf16"] == {"enabled": False}  # or the weights themselves would be bf16
    assert plugin.deepspeed_config["torch_autocast"] == {"enabled": True, "dtype": "bfloat16"}


def test_our_configuration_replaces_what_was_configured_for_a_step() -> None:
    config: dict[str, Any] = {"gradient_accumulation_steps": 9, "gradient_clipping": "auto", "bf16": {"enabled": True}}
    config["zero_optimization"] = {"stage": 1}
    configure_deepspeed(
        config, batch_size=2, accumulation_steps=3, processes=4, max_grad_norm=0.0, number_format=NumberFormat.FLOAT32
    )
    assert [config[name] for name in SIZES] == [2, 3, 24]
    assert config["gradient_clipping"] == 0 and config["zero_optimization"] == {"stage": 1}
    assert not config["bf16"]["enabled"] and not config["torch_autocast"]["enabled"]


def test_only_the_last_batch_of_a_step_ends_it(tmp_path: Path) -> None:
    task = Linear()
    run = Trainer(
        task, TrainConfig(steps=2, batches_per_step=3), tmp_path, Hardware(device="cpu", number_format=NumberFormat.FLOAT32)
    )
    run.step()
    run.step()
    assert task.heard == [(3, False), (3, False), (3, True)] * 2


def test_configured_accumulation_does_not_shrink_gradients(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights: list[Tensor] = []
    for name in ("plain", "configured"):
        recipe = TrainConfig(steps=1, batches_per_step=2, max_grad_norm=0.0, ema_decay=0.0, weight_decay=0.0)
        run = Trainer(Linear(), recipe, tmp_path / name, Hardware(device="cpu", number_format=NumberFormat.FLOAT32))
        run.step()
        moments = next(iter(run.optimizer.state_dict()["state"].values()))
        weights.append(moments["exp_avg"].clone())
        monkeypatch.setenv("ACCELERATE_GRADIENT_ACCUMULATION_STEPS", "4")
    assert weights[0].abs().max() > 0
    assert torch.equal(*weights)


def test_averages_and_images_need_whole_weights(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="--ema-decay 0"):
        Trainer(Linear(), TrainConfig(steps=1), tmp_path, Chosen(stage=3, number_format=NumberFormat.FLOAT32))
    run = Trainer(Linear(), TrainConfig(steps=1, ema_decay=0.0), tmp_path, Chosen(stage=3, number_format=NumberFormat.FLOAT32))
    with pytest.raises(ValueError, match="--validation"):
        run.train(lambda network: None)
    assert run.progress.step == 0
    assert (
        Trainer(Linear(), TrainConfig(steps=1), tmp_path, Chosen(stage=2, number_format=NumberFormat.FLOAT32)).ema is not None
    )


@pytest.mark.parametrize(
    ("kind", "stage", "spread", "wrapped"),
    [
        (DistributedType.FSDP, None, True, True),
        (DistributedType.DEEPSPEED, 3, True, True),
        (DistributedType.DEEPSPEED, 2, False, True),
        (DistributedType.MULTI_GPU, None, False, False),
    ],
)
def test_who_has_which_weights(kind: DistributedType, stage: int | None, spread: bool, wrapped: bool) -> None:
    plugin = None if stage is None else DeepSpeedPlugin(zero_stage=stage)
    accelerator: Any = SimpleNamespace(distributed_type=kind, deepspeed_plugin=plugin)
    assert is_sharded(accelerator) is spread
    assert is_wrapped(accelerator) is wrapped


class Taking(Configured):
    """Accelerate with DeepSpeed chosen, up to where the network is handed over."""

    taken: tuple[Any, ...] = ()

    @property
    def distributed_type(self) -> DistributedType:
        return DistributedType.DEEPSPEED

    def prepare(self, *objects: Any, **named: Any) -> Any:
        self.taken = objects
        return objects


class Convolution(Linear):
    """With weights that channels can be last in."""

    def network(self) -> nn.Module:
        return nn.Conv2d(3, 4, 3)


def test_weights_are_handed_over_flat(tmp_path: Path) -> None:
    """DeepSpeed sends them to the other processes as bytes, and cannot where channels come last."""

    class Hands(Hardware):
        def create_accelerator(self) -> Accelerator:
            accelerator = Taking(cpu=True)
            accelerator.plugin = DeepSpeedPlugin(zero_stage=1)
            return accelerator

    run = Trainer(
        Convolution(), TrainConfig(steps=1, ema_decay=0.0), tmp_path / "handed", Hands(number_format=NumberFormat.FLOAT32)
    )
    network = run.accelerator.taken[0]
    assert network.weight.is_contiguous()
    network.weight.data.view(torch.uint8)
    with pytest.raises(ValueError, match="cannot begin with other weights"):
        run.load_weights(network.state_dict())
    plain = Trainer(
        Convolution(), TrainConfig(steps=1), tmp_path / "plain", Hardware(device="cpu", number_format=NumberFormat.FLOAT32)
    )
    assert plain.unwrapped_network.get_parameter("weight").is_contiguous(memory_format=torch.channels_last)


def sharded(version: int, originals: bool) -> Any:
    """An accelerator that FSDP was chosen for, with the attributes that are read."""
    state = SimpleNamespace(fsdp_plugin=SimpleNamespace(use_orig_params=originals))
    kind = DistributedType.FSDP
    return SimpleNamespace(distributed_type=kind, deepspeed_plugin=None, is_fsdp2=version == 2, state=state)


def test_an_optimizer_that_fsdp_would_leave_without_weights_is_refused() -> None:
    with pytest.raises(ValueError, match="use_orig_params"):
        validate(sharded(1, originals=False), ema_decay=0.0)
    with pytest.raises(ValueError, match="--ema-decay 0"):
        validate(sharded(2, originals=False), ema_decay=0.9)
    validate(sharded(1, originals=True), ema_decay=0.0)
    validate(sharded(2, originals=False), ema_decay=0.0)
