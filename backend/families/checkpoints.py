"""Checkpoints in the models folder: finds each one's family, lists them as models, and loads them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from backend.contract.family import AnyColorModel, ForegroundSegmenter, ModelSpec
from backend.weights.companions import Companion, Companions, companion_missing
from backend.weights.detection import SUPPORT_KINDS, CheckpointKind, DetectedModel, find_companions, scan_models
from backend.weights.safetensors_file import SafetensorsFile
from shared.devices.device_status import NumberFormat
from shared.errors import ErrorCode, LinewashError
from shared.model_spec import ModelInfo

LoadCheckpoint = Callable[[Path, Companions, str, ForegroundSegmenter, NumberFormat], AnyColorModel]
"""Loads a model: (checkpoint, files of the companions that the checkpoint does not include, device as torch names it,
segmenter, number format of large networks) -> model."""


@dataclass(frozen=True)
class CheckpointFamily:
    """A family whose models are checkpoints in the models folder."""

    kind: CheckpointKind
    """How its checkpoints are recognized."""
    spec: ModelSpec
    """Modes, parameters and license of all its models."""
    load: LoadCheckpoint
    """Opens a checkpoint."""
    companions: tuple[Companion, ...] = ()
    """What it needs besides a checkpoint that does not include them."""


Families = Sequence[CheckpointFamily | CheckpointKind]
"""In the order of detection: the first kind that fits counts.  A kind alone is recognized, but cannot be loaded."""


def list_checkpoints(models_dir: Path, families: Families) -> list[ModelInfo]:
    """Information on every checkpoint in the folder; for an unusable one, the reason and what to do."""
    models = scan_models(models_dir, _kinds(families))
    companions = find_companions(models)
    return [_model_info(model, models_dir, families, companions) for model in models if model.kind not in SUPPORT_KINDS]


def checkpoint_files(name: str, models_dir: Path, families: Families) -> tuple[Path, ...]:
    """The files of weights that ``load_checkpoint`` reads for that name; () when there is no such model."""
    models = scan_models(models_dir, _kinds(families))
    model = _find(name, models)
    if model is None:
        return ()
    family = _family(model, families)
    companions = find_companions(models)
    needed = _needed_companions(family, model)
    return (model.path, *(companions[companion] for companion in needed if companion in companions))


def load_checkpoint(
    name: str,
    models_dir: Path,
    families: Families,
    device: str,
    segmenter: ForegroundSegmenter,
    number_format: NumberFormat = NumberFormat.AUTOMATIC,
) -> AnyColorModel:
    """The model of that name.

    Raises LinewashError: UNKNOWN_MODEL, COMPANION_MISSING, MODEL_OTHER_FAMILY (no family can load it), and whatever the
    family's ``load`` raises for a damaged file.
    """
    models = scan_models(models_dir, _kinds(families))
    model = _find(name, models)
    if model is None:
        raise LinewashError(ErrorCode.UNKNOWN_MODEL, name)
    family = _family(model, families)
    if family is None:
        with SafetensorsFile(model.path):  # an unreadable file raises its own error here
            raise LinewashError(ErrorCode.MODEL_OTHER_FAMILY, f"{model.path.name}: {model.kind}")
    needed, companions = _needed_companions(family, model), find_companions(models)
    for companion in needed:
        if companion not in companions:
            raise companion_missing(companion)
    available: Companions = {companion: companions[companion] for companion in needed}
    return family.load(model.path, available, device, segmenter, number_format)


def _kinds(families: Families) -> tuple[CheckpointKind, ...]:
    return tuple(family.kind if isinstance(family, CheckpointFamily) else family for family in families)


def _find(name: str, models: Sequence[DetectedModel]) -> DetectedModel | None:
    return next((model for model in models if model.name == name and model.kind not in SUPPORT_KINDS), None)


def _family(model: DetectedModel, families: Families) -> CheckpointFamily | None:
    loadable = (family for family in families if isinstance(family, CheckpointFamily))
    return next((family for family in loadable if family.kind.name == model.kind), None)


def _needed_companions(family: CheckpointFamily | None, model: DetectedModel) -> tuple[Companion, ...]:
    """The companions that this checkpoint does not include."""
    return () if family is None else tuple(name for name in family.companions if name not in model.included)


def _model_info(model: DetectedModel, models_dir: Path, families: Families, companions: Companions) -> ModelInfo:
    source, family = model.path.relative_to(models_dir).as_posix(), _family(model, families)
    if family is None:
        reason = model.problem or "This version of Linewash cannot color with a %s checkpoint." % model.kind
        return ModelInfo(model.name, model.name, "", [], False, reason, family=model.kind, source=source, size=model.size)
    missing = [companion_missing(name) for name in _needed_companions(family, model) if name not in companions]
    reason = " ".join(f"{error.message} {error.hint}" for error in missing) or model.problem
    spec = family.spec
    return ModelInfo(
        name=model.name,
        title="%s · %s" % (model.name, spec.title),
        license=spec.license,
        finishes=[finish.value for finish in spec.finishes],
        ready=not reason,
        reason=reason,
        family=spec.name,
        modes=spec.modes,
        parameters=spec.parameters,
        source=source,
        size=model.size,
    )
