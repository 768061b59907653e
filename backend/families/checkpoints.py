"""Models whose weights the painter added: checkpoints of the models folder, each with the family that its kind belongs to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from backend.contract.family import AnyColorModel, ForegroundSegmenter, ModelSpec
from backend.weights.companions import Companion, Companions, companion_missing
from backend.weights.detection import SUPPORT_KINDS, CheckpointKind, DetectedModel, companions_of, scan
from backend.weights.safetensors_file import SafetensorsFile
from shared.errors import ErrorCode, LinewashError
from shared.model_spec import ModelInfo

LoadCheckpoint = Callable[[Path, Companions, str, ForegroundSegmenter], AnyColorModel]
"""The model of a checkpoint, given its file, the files of the companions that are not inside it, the device as torch names it,
and the segmenter that finds the foreground."""


@dataclass(frozen=True)
class CheckpointFamily:
    """A family that many checkpoints can be of: how to recognize one, and how to load it."""

    kind: CheckpointKind
    spec: ModelSpec
    load: LoadCheckpoint
    companions: tuple[Companion, ...] = ()
    """What it needs beside a checkpoint that does not include it."""


Families = Sequence[CheckpointFamily | CheckpointKind]
"""In the order of detection: the first whose kind fits counts.  A kind alone can be recognized, but not loaded."""


def list_checkpoints(models_dir: Path, families: Families) -> list[ModelInfo]:
    """A row for every checkpoint of the folder; one that cannot be used says why and what to do."""
    models = scan(models_dir, _kinds(families))
    there = companions_of(models)
    return [_row(model, models_dir, families, there) for model in models if model.kind not in SUPPORT_KINDS]


def checkpoint_files(name: str, models_dir: Path, families: Families) -> tuple[Path, ...]:
    """The files of weights that ``load_checkpoint`` reads for that name, () when there is no such model."""
    models = scan(models_dir, _kinds(families))
    model = _find(name, models)
    if model is None:
        return ()
    family = _family(model, families)
    there = companions_of(models)
    return (model.path, *(there[each] for each in _needed(family, model) if each in there))


def load_checkpoint(
    name: str, models_dir: Path, families: Families, device: str, segmenter: ForegroundSegmenter
) -> AnyColorModel:
    """The model of that name.

    Raises LinewashError: UNKNOWN_MODEL, COMPANION_MISSING, MODEL_OTHER_FAMILY (no family here takes it), and what the family's
    own loading raises for a file that is damaged.
    """
    models = scan(models_dir, _kinds(families))
    model = _find(name, models)
    if model is None:
        raise LinewashError(ErrorCode.UNKNOWN_MODEL, name)
    family = _family(model, families)
    if family is None:
        with SafetensorsFile(model.path):  # a file that cannot be read raises the error that says why
            raise LinewashError(ErrorCode.MODEL_OTHER_FAMILY, f"{model.path.name}: {model.kind}")
    needed, there = _needed(family, model), companions_of(models)
    for companion in needed:
        if companion not in there:
            raise companion_missing(companion)
    return family.load(model.path, {companion: there[companion] for companion in needed}, device, segmenter)


def _kinds(families: Families) -> tuple[CheckpointKind, ...]:
    return tuple(family.kind if isinstance(family, CheckpointFamily) else family for family in families)


def _find(name: str, models: Sequence[DetectedModel]) -> DetectedModel | None:
    return next((model for model in models if model.name == name and model.kind not in SUPPORT_KINDS), None)


def _family(model: DetectedModel, families: Families) -> CheckpointFamily | None:
    loadable = (family for family in families if isinstance(family, CheckpointFamily))
    return next((family for family in loadable if family.kind.name == model.kind), None)


def _needed(family: CheckpointFamily | None, model: DetectedModel) -> tuple[Companion, ...]:
    """The companions that this checkpoint does not include."""
    return () if family is None else tuple(each for each in family.companions if each not in model.included)


def _row(model: DetectedModel, models_dir: Path, families: Families, there: Companions) -> ModelInfo:
    source, family = model.path.relative_to(models_dir).as_posix(), _family(model, families)
    if family is None:
        reason = model.problem or "This version of Linewash cannot color with a %s checkpoint." % model.kind
        return ModelInfo(model.name, model.name, "", [], False, reason, family=model.kind, source=source, size=model.size)
    missing = [companion_missing(each) for each in _needed(family, model) if each not in there]
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
