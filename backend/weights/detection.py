"""Lists the weights files that the painter put into the models folder and detects their kind by the names of their tensors.

Only the headers are read.  The files are ``models/*.safetensors`` and ``models/FOLDER/*.safetensors``; a folder with
``SHA256SUMS`` belongs to a shipped model and is skipped.
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
"""The kind of a file that is not recognized."""
SUPPORT_KINDS: frozenset[str] = frozenset((*get_args(Companion), *get_args(SegmenterKind)))
"""Kinds of files that are not models themselves but that some or all models use: companions and segmenters."""
SUFFIX = ".safetensors"
CLIP_WIDTHS: Mapping[int, Companion] = {1280: "clip-vit-h-14", 1664: "clip-vit-bigg-14"}
"""Width of the vision tower -> CLIP model; the width tells the CLIP models apart."""
_CLIP_KEYS = (
    "vision_model.embeddings.class_embedding",
    "visual.class_embedding",
    "cond_stage_model.visual.model.class_embedding",
    "cond_stage_model.model.vision_model.embeddings.class_embedding",
)
"""Names of the same tensor in transformers, in OpenCLIP and in the published training programs."""
_TAGGER_KEYS = ("layers.0.blocks.0.attn.cpb_mlp.0.weight", "head.fc.weight")
_INCLUDED_PREFIXES: Mapping[Companion, str] = {
    "clip-vit-h-14": "cond_stage_model.visual.",
    "clip-vit-bigg-14": "cond_stage_model.model.vision_model.",
    "wd-tagger": "img_embedder.model.",
}
"""Prefix of a companion's tensors where a checkpoint includes the companion."""
_ISNET_KEYS = frozenset(
    ("conv_in.weight", "stage1.rebnconvin.conv_s1.weight", "stage1d.rebnconvin.conv_s1.weight", "side1.weight")
)
_ISNET_PREFIX = "net."
"""Prefix of ISNet's names in weights trained by the program anime-segmentation."""
_BIREFNET_KEYS = (
    "bb.patch_embed.proj.weight",
    "squeeze_module.0.conv_in.weight",
    "decoder.ipt_blk5.conv1.weight",
    "decoder.conv_out1.0.weight",
)
DOWNLOAD_LOCK = ".download.lock"
"""Name of the lock file that allows one download into a folder at a time."""
GENERIC_STEM = "model"
"""A file name without suffix that many repositories use; it does not identify the weights."""


@dataclass(frozen=True)
class CheckpointKind:
    """A kind of checkpoint, recognized by prefixes of its tensors' names.

    Example: ``CheckpointKind("v1.5", ("model.", "control_encoder."), any_of=("thresh_embedder.", "transformer."))``
    """

    name: str
    """As errors and lists show it, like ``v1.5``."""
    all_of: tuple[str, ...]
    """For each of these prefixes, some name begins with it."""
    any_of: tuple[str, ...] = ()
    """Some name begins with at least one of these; () = no such condition."""

    def matches(self, names: Iterable[str]) -> bool:
        """Whether a file whose tensors have these names is of this kind."""
        names = tuple(names)

        def has_prefix(prefix: str) -> bool:
            return any(name.startswith(prefix) for name in names)

        return all(map(has_prefix, self.all_of)) and (not self.any_of or any(map(has_prefix, self.any_of)))


@dataclass(frozen=True)
class DetectedModel:
    """A weights file in the models folder."""

    name: str
    """Its name in requests: derived from the display name, unique in the folder."""
    path: Path
    """Where it lies, inside the models folder."""
    kind: str
    """The name of a ``CheckpointKind``, one of ``SUPPORT_KINDS``, or ``UNKNOWN``.

    Detected from the tensors' names; for segmenters also from the file name, for an unreadable file from the file name only.
    """
    size: int
    """Bytes."""
    included: frozenset[Companion] = frozenset()
    """Companions included in the same file."""
    problem: str = ""
    """Why it cannot be used; '' when it can."""


def scan_models(models_dir: Path, kinds: Sequence[CheckpointKind] = ()) -> tuple[DetectedModel, ...]:
    """All weights files in the folder, sorted by name; () when there is no folder.

    kinds: the kinds of checkpoints to recognize; the first match counts.  Segmenters and companions are always recognized.
    """
    models: dict[str, DetectedModel] = {}
    for path in _list_weight_files(models_dir):
        name = registry_name(display_name(path, models_dir))
        if name in models:  # files of the same name in two folders
            name = registry_name(f"{path.parent.name}-{path.stem}")
        if name and name not in models:
            models[name] = _inspect_file(name, path, display_name(path, models_dir), kinds)
    return tuple(models[name] for name in sorted(models))


def find_companions(models: Iterable[DetectedModel]) -> Companions:
    """The companions among these models; of several files for one companion, the first counts."""
    return {kind: path for kind in get_args(Companion) if (path := _find_usable(kind, models)) is not None}


def _find_usable(kind: str, models: Iterable[DetectedModel]) -> Path | None:
    return next((model.path for model in models if model.kind == kind and not model.problem), None)


def display_name(path: Path, models_dir: Path) -> str:
    """The file's stem; the folder's name where the file is the only one in a subfolder and its stem is ``model``."""
    if path.parent == models_dir or path.stem != GENERIC_STEM:
        return path.stem
    return path.stem if any(other.name != path.name for other in path.parent.glob("*" + SUFFIX)) else path.parent.name


def registry_name(stem: str) -> str:
    """A stem as a model name: lower case letters, digits, ``.``, ``_`` and ``-``, at most 80; '' when nothing is left."""
    return re.sub(r"[^a-z0-9._-]+", "-", stem.lower()).strip("-.")[:80]


def detect_kind(stem: str, shapes: Mapping[str, tuple[int, ...]], kinds: Sequence[CheckpointKind]) -> str:
    """The kind of a file, from its stem and the names and shapes of its tensors."""
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
    if all(key in names for key in _TAGGER_KEYS):
        return "wd-tagger"
    clip = next((shapes[key] for key in _CLIP_KEYS if key in shapes), ())
    return CLIP_WIDTHS.get(clip[-1], UNKNOWN) if clip else UNKNOWN


def isnet_prefix(names: Iterable[str]) -> str:
    """The prefix before ISNet's names in a file; '' when there is none."""
    return _ISNET_PREFIX if any(name.startswith(_ISNET_PREFIX) for name in names) else ""


def birefnet_prefix(names: Iterable[str]) -> str:
    """The prefix before BiRefNet's names in a file, added by multi-GPU training or compilation; '' when there is none."""
    return next((name.removesuffix(_BIREFNET_KEYS[0]) for name in names if name.endswith(_BIREFNET_KEYS[0])), "")


def isnet_kind(stem: str, prefix: str) -> SegmenterKind:
    """What ISNet weights were trained to segment, from the file's stem and the prefix of its tensors' names.

    Line drawings when the stem contains ``sketch``; characters in color when it contains ``anime`` or ``isnetis`` (the
    published file), or when the prefix is that of anime-segmentation; otherwise objects of all kinds.
    """
    name = stem.lower()
    if "sketch" in name:
        return "isnet-sketches"
    return "isnet-characters" if prefix or "anime" in name or "isnetis" in name else "isnet-things"


def _guess_kind(stem: str) -> str:
    """The likely kind of a file that cannot be read, from its stem."""
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
    except OSError as error:  # deleted since the folder was listed
        return DetectedModel(name, path, UNKNOWN, 0, problem=f"The file cannot be read: {error.strerror}.")
    kind = detect_kind(stem, shapes, kinds)
    included: frozenset[Companion] = frozenset(
        companion for companion, prefix in _INCLUDED_PREFIXES.items() if any(tensor.startswith(prefix) for tensor in shapes)
    )
    problem = "It is no checkpoint that Linewash knows." if kind == UNKNOWN else ""
    return DetectedModel(name, path, kind, size, included, problem)
