"""The models folder: checkpoints that the painter put or downloaded there, told apart by the names of their tensors.

Only headers are read.  A file is found as ``models/*.safetensors`` or ``models/FOLDER/*.safetensors``; a folder with
``SHA256SUMS`` belongs to a shipped model and is left alone.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from backend.weights.companions import Companion, Companions
from backend.weights.safetensors_file import SafetensorsFile
from backend.weights.shipped_model import CHECKSUMS
from shared.errors import LinewashError

SegmenterKind = Literal["isnet-sketches", "isnet-characters", "isnet-things", "birefnet"]
UNKNOWN = "unknown"
"""The kind of a file that nothing here recognizes."""
SUPPORT_KINDS: frozenset[str] = frozenset((*get_args(Companion), *get_args(SegmenterKind)))
"""Kinds of files that color nothing themselves: other models, or all of them, work with them."""
SUFFIX = ".safetensors"
CLIP_WIDTHS: Mapping[int, Companion] = {1280: "clip-vit-h-14"}
"""Width of a CLIP's vision tower, by which it is told from other CLIPs."""
_CLIP_KEYS = (
    "vision_model.embeddings.class_embedding",
    "visual.class_embedding",
    "cond_stage_model.visual.model.class_embedding",
)
"""As transformers, OpenCLIP and the published training program name the same tensor."""
_INCLUDED_PREFIXES: Mapping[Companion, str] = {"clip-vit-h-14": "cond_stage_model.visual."}
"""How tensors of a companion begin that lies inside a checkpoint."""
_ISNET_KEYS = frozenset(
    ("conv_in.weight", "stage1.rebnconvin.conv_s1.weight", "stage1d.rebnconvin.conv_s1.weight", "side1.weight")
)
_ISNET_PREFIX = "net."
"""Before ISNet's names in weights that the program anime-segmentation trained."""
_BIREFNET_KEYS = (
    "bb.patch_embed.proj.weight",
    "squeeze_module.0.conv_in.weight",
    "decoder.ipt_blk5.conv1.weight",
    "decoder.conv_out1.0.weight",
)
DOWNLOAD_LOCK = ".download.lock"
"""The file in a folder that one download at a time holds."""
GENERIC_STEM = "model"
"""The stem that many repositories give their weights; it says nothing about them."""


@dataclass(frozen=True)
class CheckpointKind:
    """A kind of checkpoint, recognized by how the names of its tensors begin.

    Example: ``CheckpointKind("v1.5", ("model.", "control_encoder."), any_of=("thresh_embedder.", "transformer."))``
    """

    name: str
    all_of: tuple[str, ...]
    """Some name begins with each of these."""
    any_of: tuple[str, ...] = ()
    """Some name begins with one of these; () = this is not asked for."""

    def matches(self, names: Iterable[str]) -> bool:
        """Whether a file whose tensors have these names is of this kind."""
        held = tuple(names)

        def holds(prefix: str) -> bool:
            return any(name.startswith(prefix) for name in held)

        return all(map(holds, self.all_of)) and (not self.any_of or any(map(holds, self.any_of)))


@dataclass(frozen=True)
class DetectedModel:
    """A file of the models folder."""

    name: str
    """What requests call it; made from its display name and unique in the folder."""
    path: Path
    kind: str
    """The name of a ``CheckpointKind``, one of ``SUPPORT_KINDS``, or ``UNKNOWN``.

    Told by the tensors' names; for segmenters also by the file's name, and for an unreadable file by that alone."""
    size: int
    """Bytes."""
    included: frozenset[Companion] = frozenset()
    """Companions that lie in the same file."""
    problem: str = ""
    """Why it cannot be used, '' when it can."""


def scan_models(models_dir: Path, kinds: Sequence[CheckpointKind] = ()) -> tuple[DetectedModel, ...]:
    """Every file of weights in the folder, by name; () when there is no folder.

    kinds: the kinds of checkpoints to recognize, the first that fits counts; segmenters and companions are always recognized.
    """
    models: dict[str, DetectedModel] = {}
    for path in _list_weight_files(models_dir):
        name = registry_name(display_name(path, models_dir))
        if name in models:  # two folders with a file of one name
            name = registry_name(f"{path.parent.name}-{path.stem}")
        if name and name not in models:
            models[name] = _inspect_file(name, path, display_name(path, models_dir), kinds)
    return tuple(models[name] for name in sorted(models))


def find_companions(models: Iterable[DetectedModel]) -> Companions:
    """The files of companions among these models; the first one counts where there are several."""
    return {kind: path for kind in get_args(Companion) if (path := _find_usable(kind, models)) is not None}


def _find_usable(kind: str, models: Iterable[DetectedModel]) -> Path | None:
    return next((model.path for model in models if model.kind == kind and not model.problem), None)


def display_name(path: Path, models_dir: Path) -> str:
    """What a file of weights is called: its stem, or its folder's name where it is the only one there and a ``model``."""
    if path.parent == models_dir or path.stem != GENERIC_STEM:
        return path.stem
    return path.stem if any(each.name != path.name for each in path.parent.glob("*" + SUFFIX)) else path.parent.name


def registry_name(stem: str) -> str:
    """A file's stem as a name: lower case letters, digits, ``.``, ``_`` and ``-``, at most 80; '' when nothing is left."""
    return re.sub(r"[^a-z0-9._-]+", "-", stem.lower()).strip("-.")[:80]


def detect_kind(stem: str, shapes: Mapping[str, tuple[int, ...]], kinds: Sequence[CheckpointKind]) -> str:
    """The kind of a file of that stem whose tensors have these names and shapes."""
    names = frozenset(shapes)
    checkpoint = next((kind.name for kind in kinds if kind.matches(names)), None)
    if checkpoint is not None:
        return checkpoint
    prefix = isnet_prefix(names)
    if {name.removeprefix(prefix) for name in names} >= _ISNET_KEYS:
        return isnet_kind(stem, prefix)
    prefix = birefnet_prefix(names)
    if all(prefix + key in names for key in _BIREFNET_KEYS):
        return "birefnet"
    clip = next((shapes[key] for key in _CLIP_KEYS if key in shapes), ())
    return CLIP_WIDTHS.get(clip[-1], UNKNOWN) if clip else UNKNOWN


def isnet_prefix(names: Iterable[str]) -> str:
    """The prefix of ISNet's own names in a file."""
    return _ISNET_PREFIX if any(name.startswith(_ISNET_PREFIX) for name in names) else ""


def birefnet_prefix(names: Iterable[str]) -> str:
    """The prefix of BiRefNet's own names in a file, which a trainer on several GPUs or a compiled network adds."""
    return next((name.removesuffix(_BIREFNET_KEYS[0]) for name in names if name.endswith(_BIREFNET_KEYS[0])), "")


def isnet_kind(stem: str, prefix: str) -> SegmenterKind:
    """What ISNet weights were trained to find.  Tensors do not tell; the file's name does, then its tensors' prefix.

    Line drawings where the name says ``sketch``; characters in color where it says ``anime`` or ``isnetis`` (the published
    file), or where anime-segmentation trained it; else things of all kinds.
    """
    name = stem.lower()
    if "sketch" in name:
        return "isnet-sketches"
    return "isnet-characters" if prefix or "anime" in name or "isnetis" in name else "isnet-things"


def _guess_kind(stem: str) -> str:
    """What a file that cannot be read may be meant for."""
    name = stem.lower()
    if "birefnet" in name or "rmbg" in name:
        return "birefnet"
    return isnet_kind(stem, "") if "isnet" in name else UNKNOWN


def _list_weight_files(models_dir: Path) -> list[Path]:
    if not models_dir.is_dir():
        return []
    subfolders = (path for path in sorted(models_dir.iterdir()) if path.is_dir() and not (path / CHECKSUMS).exists())
    return [path for folder in (models_dir, *subfolders) for path in sorted(folder.glob("*" + SUFFIX)) if path.is_file()]


def _inspect_file(name: str, path: Path, stem: str, kinds: Sequence[CheckpointKind]) -> DetectedModel:
    try:
        with SafetensorsFile(path) as file:
            shapes = file.shapes
        size = path.stat().st_size
    except LinewashError as error:
        return DetectedModel(name, path, _guess_kind(stem), 0, problem=f"{error.message} {error.hint}")
    except OSError as error:  # it went away meanwhile
        return DetectedModel(name, path, UNKNOWN, 0, problem=f"The file cannot be read: {error.strerror}.")
    kind = detect_kind(stem, shapes, kinds)
    included: frozenset[Companion] = frozenset(
        companion for companion, prefix in _INCLUDED_PREFIXES.items() if any(tensor.startswith(prefix) for tensor in shapes)
    )
    problem = "It is no checkpoint that Linewash knows." if kind == UNKNOWN else ""
    return DetectedModel(name, path, kind, size, included, problem)
