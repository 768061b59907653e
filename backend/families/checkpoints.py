"""Models whose weights the painter added: checkpoints of the models folder, each with the family that its kind belongs to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from backend.contract.family import AnyColorModel, ForegroundSegmenter, ModelSpec
from backend.weights.detection import SUPPORT_KINDS, DetectedModel, Kind, clip_of, scan
from backend.weights.known_downloads import CLIP
from backend.weights.safetensors_file import SafetensorsFile
from shared.errors import ErrorCode, LinewashError
from shared.model_spec import ModelInfo


@dataclass(frozen=True)
class CheckpointFamily:
    """A family that many checkpoints can be of.

    load: the model of a checkpoint, given its file, the file with CLIP (None when the checkpoint holds its own, or the family
    has no use for one), the device as torch names it, and who finds figures.
    """

    spec: ModelSpec
    load: Callable[[Path, Path | None, str, ForegroundSegmenter], AnyColorModel]
    needs_clip: bool = True


Families = Mapping[Kind, CheckpointFamily]


def list_checkpoints(models_dir: Path, families: Families) -> list[ModelInfo]:
    """A row for every checkpoint of the folder; one that cannot be used says why and what to do."""
    found = scan(models_dir)
    clip = clip_of(found)
    return [_row(each, models_dir, families, clip) for each in found if each.kind not in SUPPORT_KINDS]


def added_files(name: str, models_dir: Path, families: Families) -> tuple[Path, ...]:
    """The files of weights that ``load_checkpoint`` reads for that name, () when there is no such model."""
    found = scan(models_dir)
    chosen = next((each for each in found if each.name == name and each.kind not in SUPPORT_KINDS), None)
    if chosen is None:
        return ()
    family = families.get(chosen.kind)
    clip = clip_of(found) if family is not None and _needs_clip(family, chosen) else None
    return (chosen.path,) if clip is None else (chosen.path, clip)


def load_checkpoint(
    name: str, models_dir: Path, families: Families, device: str, guesser: ForegroundSegmenter
) -> AnyColorModel:
    """The model of that name.

    Raises LinewashError: UNKNOWN_MODEL, CLIP_MISSING, MODEL_OTHER_FAMILY (no family here takes it), and what the family's own
    loading raises for a file that is damaged.
    """
    found = scan(models_dir)
    chosen = next((each for each in found if each.name == name and each.kind not in SUPPORT_KINDS), None)
    if chosen is None:
        raise LinewashError(ErrorCode.UNKNOWN_MODEL, name)
    family = families.get(chosen.kind)
    if family is None:
        with SafetensorsFile(chosen.path):  # what cannot be read at all says so itself
            raise LinewashError(ErrorCode.MODEL_OTHER_FAMILY, f"{chosen.path.name}: {chosen.kind}")
    clip = clip_of(found) if _needs_clip(family, chosen) else None
    if clip is None and _needs_clip(family, chosen):
        raise LinewashError(ErrorCode.CLIP_MISSING, chosen.path.name)
    return family.load(chosen.path, clip, device, guesser)


def _needs_clip(family: CheckpointFamily, found: DetectedModel) -> bool:
    return family.needs_clip and not found.own_clip


def _row(found: DetectedModel, models_dir: Path, families: Families, clip: Path | None) -> ModelInfo:
    source, family = found.path.relative_to(models_dir).as_posix(), families.get(found.kind)
    if family is None:
        reason = found.problem or "This version of Linewash cannot color with a %s checkpoint." % found.kind
        return ModelInfo(found.name, found.name, "", [], False, reason, family=found.kind, source=source, size=found.size)
    missing = _needs_clip(family, found) and clip is None
    reason = "CLIP ViT-H/14 is missing; run: linewash models download %s" % CLIP.name if missing else found.problem
    spec = family.spec
    return ModelInfo(
        name=found.name,
        title="%s · %s" % (found.name, spec.title),
        license=spec.license,
        finishes=[finish.value for finish in spec.finishes],
        ready=not reason,
        reason=reason,
        family=spec.name,
        modes=spec.modes,
        parameters=spec.parameters,
        source=source,
        size=found.size,
    )
