"""All families: a new one is a folder of its own and one line here.

A family that ships with its weights is one model.  Of any other family, every checkpoint in the models folder is a model.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from backend.contract.family import AnyColorModel, ForegroundSegmenter, ModelSpec
from backend.families.animediffusion import factory as animediffusion
from backend.families.checkpoints import Families, checkpoint_files, list_checkpoints, load_checkpoint
from backend.families.colorizediffusion import factory as colorizediffusion
from backend.families.foreground.selector import SegmenterSelector
from backend.families.mini import family as mini
from backend.families.mini.foreground import MiniSegmenter
from backend.families.runtime import device_list
from backend.families.runtime.condition_cache import CachingModel
from backend.weights.shipped_model import ModelFolder, find_missing_file, model_folder
from shared.devices.device_status import DeviceReport, NumberFormat
from shared.model_spec import ModelInfo


@dataclass(frozen=True)
class _ShippedFamily:
    """A family that ships with its weights."""

    spec: ModelSpec
    load: Callable[[ModelFolder, str], AnyColorModel]
    """Loads the model from its folder onto a device, as torch names it."""


_SHIPPED = {family.spec.name: family for family in (_ShippedFamily(mini.SPEC, mini.Mini.load),)}
_CHECKPOINTS: Families = (*colorizediffusion.FAMILIES, animediffusion.FAMILY)


def shipped_specs() -> dict[str, ModelSpec]:
    """The spec of every family that ships with its weights, whether its files are there or not."""
    return {name: family.spec for name, family in _SHIPPED.items()}


def models(models_dir: Path) -> list[ModelInfo]:
    """Every model and whether its files are there.  Digests are checked on loading, not here."""
    rows: list[ModelInfo] = []
    for name, spec in shipped_specs().items():
        missing = find_missing_file(model_folder(name, models_dir))
        reason = f"{missing} is missing" if missing else ""
        finishes = [finish.value for finish in spec.finishes]
        row = ModelInfo(name, spec.title, spec.license, finishes, not missing, reason, family=name)
        rows.append(replace(row, modes=spec.modes, parameters=spec.parameters))
    return rows + [row for row in list_checkpoints(models_dir, _CHECKPOINTS) if row.name not in _SHIPPED]


def files(name: str, models_dir: Path) -> tuple[Path, ...]:
    """The files in the models folder that a model is made of; () for a shipped model and for an unknown name."""
    return () if name in _SHIPPED else checkpoint_files(name, models_dir, _CHECKPOINTS)


def report_devices(choice: str) -> DeviceReport:
    """What can compute here, and what does, for a choice: ``auto`` or a device's name."""
    return device_list.report_devices(choice)


def load(
    name: str, models_dir: Path, device: str = "cpu", number_format: NumberFormat = NumberFormat.AUTOMATIC
) -> AnyColorModel:
    """The named model, ready to color on ``device``; it caches the conditions of the last few drawings.

    device: as torch names it, e.g. cuda:1.  number_format: of the large networks of published systems.

    Raises LinewashError: UNKNOWN_MODEL, MODEL_MISSING, MODEL_CORRUPT (a digest or a tensor's shape does not fit) and, for a
    checkpoint, what ``load_checkpoint`` raises; torch's own error when there is no such device.
    """
    if name in _SHIPPED:
        model = _SHIPPED[name].load(ModelFolder(model_folder(name, models_dir)), device)
        return CachingModel(model, SegmenterSelector(model, models_dir, device))
    segmenter = foreground_segmenter(models_dir, device)
    return CachingModel(load_checkpoint(name, models_dir, _CHECKPOINTS, device, segmenter, number_format))


def foreground_segmenter(models_dir: Path, device: str = "cpu") -> ForegroundSegmenter:
    """The segmenter of families that have none of their own: weights that the painter installed, else mini's, always there.

    Raises LinewashError MODEL_MISSING, MODEL_CORRUPT when mini's weights are missing or damaged.
    """
    shipped = MiniSegmenter.load(ModelFolder(model_folder(mini.SPEC.name, models_dir)), device)
    return SegmenterSelector(shipped, models_dir, device)
