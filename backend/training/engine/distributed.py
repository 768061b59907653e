"""What DeepSpeed and FSDP need to know, and what cannot be had with them; Accelerate's own configuration chooses them."""

from typing import Any

from accelerate import Accelerator
from accelerate.utils import DistributedType

from shared.devices.device_status import NumberFormat


def configure_deepspeed(
    config: dict[str, Any],
    batch_size: int,
    accumulation_steps: int,
    processes: int,
    max_grad_norm: float,
    number_format: NumberFormat,
) -> None:
    """Write into DeepSpeed's configuration, in place, what one of our optimizer steps is made of.

    Accelerate would ask a data loader for the sizes, and the trainer has none.  DeepSpeed's own number formats would convert
    the weights themselves; its autocast leaves them float32, as everywhere else.  Existing entries are overwritten.

    batch_size: examples in a batch.  accumulation_steps: batches of one process in a step.  max_grad_norm: 0 = unlimited.
    number_format: of autocast, not automatic.
    """
    config["train_micro_batch_size_per_gpu"] = batch_size
    config["gradient_accumulation_steps"] = accumulation_steps
    config["train_batch_size"] = batch_size * accumulation_steps * processes
    config["gradient_clipping"] = max_grad_norm
    config["bf16"], config["fp16"] = {"enabled": False}, {"enabled": False}
    # DeepSpeed calls them as we do.  It wants one of 16 bits also where its autocast is off.
    is_enabled = number_format is not NumberFormat.FLOAT32
    dtype = number_format if is_enabled else NumberFormat.BFLOAT16
    config["torch_autocast"] = {"enabled": is_enabled, "dtype": dtype.value}


def is_wrapped(accelerator: Accelerator) -> bool:
    """Whether DeepSpeed or FSDP hold their own copy of the weights, so that the network's can no longer be replaced."""
    return accelerator.distributed_type in (DistributedType.DEEPSPEED, DistributedType.FSDP)


def is_sharded(accelerator: Accelerator) -> bool:
    """Whether no process has all weights: with FSDP, and with DeepSpeed at ZeRO stage 3."""
    plugin = accelerator.deepspeed_plugin
    return accelerator.distributed_type == DistributedType.FSDP or (plugin is not None and plugin.zero_stage == 3)


def validate(accelerator: Accelerator, ema_decay: float) -> None:
    """Raise ValueError, with what to do instead, for a configuration that would train nothing or keep no average.

    ema_decay: decay of the averaged weights, 0 = none are kept.
    """
    if ema_decay and is_sharded(accelerator):
        raise ValueError("averaged weights are not kept where the weights are spread over processes: give --ema-decay 0")
    is_fsdp1 = accelerator.distributed_type == DistributedType.FSDP and not accelerator.is_fsdp2
    plugin = accelerator.state.fsdp_plugin if is_fsdp1 else None
    if plugin is not None and not plugin.use_orig_params:
        raise ValueError("FSDP 1 would leave the optimizer without weights: configure use_orig_params, or FSDP 2")
