"""What DeepSpeed and FSDP are told, and what does not go with them; Accelerate's own configuration chooses them."""

from typing import Any

from accelerate import Accelerator
from accelerate.utils import DistributedType

TYPES = {"bf16": "bfloat16", "fp16": "float16"}
"""Number formats of autocast by the names Accelerate has for them."""


def configure_deepspeed(config: dict[str, Any], pictures: int, parts: int, processes: int, clip: float, precision: str) -> None:
    """Make DeepSpeed's configuration take the recipe's steps, in place.

    Accelerate asks data loaders for the sizes, and a run has none: pictures are those of a batch, parts a process' batches in a
    step.  clip: longest gradient, 0 = any.  precision: bf16, fp16 or no; DeepSpeed's own formats would change the weights
    themselves, autocast leaves them float32 as everywhere else.  What decides a step is replaced, whatever was configured.
    """
    config["train_micro_batch_size_per_gpu"] = pictures
    config["gradient_accumulation_steps"] = parts
    config["train_batch_size"] = pictures * parts * processes
    config["gradient_clipping"] = clip
    config["bf16"], config["fp16"] = {"enabled": False}, {"enabled": False}
    config["torch_autocast"] = {"enabled": precision in TYPES, "dtype": TYPES.get(precision, "bfloat16")}


def is_wrapped(accelerator: Accelerator) -> bool:
    """Whether DeepSpeed or FSDP keep weights of their own, so that the network's cannot be replaced any more."""
    return accelerator.distributed_type in (DistributedType.DEEPSPEED, DistributedType.FSDP)


def is_sharded(accelerator: Accelerator) -> bool:
    """Whether no process has all weights: with FSDP, and with DeepSpeed at ZeRO's stage 3."""
    plugin = accelerator.deepspeed_plugin
    return accelerator.distributed_type == DistributedType.FSDP or (plugin is not None and plugin.zero_stage == 3)


def validate(accelerator: Accelerator, average: float) -> None:
    """ValueError, with what to do instead, for what would train or keep nothing.  average: decay of averages, 0 = none."""
    if average and is_sharded(accelerator):
        raise ValueError("averaged weights are not kept where the weights are spread over processes: give --average 0")
    first_fsdp = accelerator.distributed_type == DistributedType.FSDP and not accelerator.is_fsdp2
    plugin = accelerator.state.fsdp_plugin if first_fsdp else None
    if plugin is not None and not plugin.use_orig_params:
        raise ValueError("FSDP 1 would leave the optimizer without weights: configure use_orig_params, or FSDP 2")
