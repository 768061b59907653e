"""The models folder: checkpoints that the painter dropped or downloaded there, told apart by the names of their tensors.

Only headers are read.  A file is found as ``models/*.safetensors`` or ``models/FOLDER/*.safetensors``; a folder with
``SHA256SUMS`` is a shipped model's own and left alone.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from backend.weights.safetensors_file import SafetensorsFile
from backend.weights.shipped_model import CHECKSUMS
from shared.errors import LinewashError

MaskKind = Literal["isnet-sketches", "isnet-characters", "isnet-things", "birefnet"]
Kind = Literal["v1", "v1.5", "v2", "xl", "xlv2", "animediffusion", "clip", MaskKind, "unknown"]
SUFFIX = ".safetensors"
CLIP_WIDTH = 1280
"""Width of the vision tower of CLIP ViT-H/14, by which it is told from other CLIPs."""
_CLIP_KEYS = (
    "vision_model.embeddings.class_embedding",
    "visual.class_embedding",
    "cond_stage_model.visual.model.class_embedding",
)
"""As transformers, OpenCLIP and the published training program name the same tensor."""
_OWN_CLIP = "cond_stage_model.visual."
_ISNET_KEYS = frozenset(
    ("conv_in.weight", "stage1.rebnconvin.conv_s1.weight", "stage1d.rebnconvin.conv_s1.weight", "side1.weight")
)
_ISNET_PREFIX = "net."
"""Before ISNet's names in what the program anime-segmentation has trained."""
_BIREFNET_KEYS = (
    "bb.patch_embed.proj.weight",
    "squeeze_module.0.conv_in.weight",
    "decoder.ipt_blk5.conv1.weight",
    "decoder.conv_out1.0.weight",
)
PART = ".part"
"""What the name of a file that is not whole ends with."""
LOCK = ".download.lock"
"""The file in a folder that one download at a time holds."""
PLAIN_STEM = "model"
"""The stem that many repositories give their weights, which tells nothing."""


SUPPORT_KINDS: tuple[Kind, ...] = ("clip", *get_args(MaskKind))
"""Files that color nothing themselves: other models, or all of them, work with them."""


@dataclass(frozen=True)
class DetectedModel:
    """A file of the models folder.

    name: what requests call it, made from ``called`` and unique in the folder.  kind: by its tensors' names; of mask
    finders also by the file's name, and of an unreadable one by that alone.  size: bytes.  own_clip: the CLIP image encoder
    lies in the same file.  problem: why it cannot be used, '' when it can.
    """

    name: str
    path: Path
    kind: Kind
    size: int
    own_clip: bool = False
    problem: str = ""


def scan(models_dir: Path) -> tuple[DetectedModel, ...]:
    """Every checkpoint of the folder, by name; () when there is no folder."""
    found: dict[str, DetectedModel] = {}
    for path in _files(models_dir):
        name = registry_name(display_name(path, models_dir))
        if name in found:  # two folders with a file of one name
            name = registry_name(f"{path.parent.name}-{path.stem}")
        if name and name not in found:
            found[name] = _read(name, path, display_name(path, models_dir))
    return tuple(found[name] for name in sorted(found))


def clip_of(found: tuple[DetectedModel, ...]) -> Path | None:
    """The file with CLIP ViT-H/14, None when there is none."""
    return next((each.path for each in found if each.kind == "clip" and not each.problem), None)


def display_name(path: Path, models_dir: Path) -> str:
    """What a file of weights is called: its stem, or its folder's name where it is the only one there and a ``model``."""
    if path.parent == models_dir or path.stem != PLAIN_STEM:
        return path.stem
    return path.stem if any(each.name != path.name for each in path.parent.glob("*" + SUFFIX)) else path.parent.name


def registry_name(stem: str) -> str:
    """A file's stem as a name: lower case letters, digits, ``.``, ``_`` and ``-``, at most 80; '' when nothing is left."""
    return re.sub(r"[^a-z0-9._-]+", "-", stem.lower()).strip("-.")[:80]


def kind_of(stem: str, names: frozenset[str], clip_width: int) -> Kind:
    """What a file with tensors of these names is; ``clip_width`` is that of its CLIP vision tower, 0 = it has none."""
    tops = {name.split(".", 1)[0] for name in names}
    if "denoise_fn" in tops:
        return "animediffusion"
    if {"model", "first_stage_model", "control_encoder"} <= tops:
        if "proj" in tops:
            return "xlv2" if "bg_encoder" in tops else "xl"
        if "bg_encoder" in tops:
            return "v2"
        return "v1.5" if "thresh_embedder" in tops else "v1"
    prefix = isnet_prefix(names)
    if {name.removeprefix(prefix) for name in names} >= _ISNET_KEYS:
        return isnet_kind(stem, prefix)
    prefix = birefnet_prefix(names)
    if all(prefix + key in names for key in _BIREFNET_KEYS):
        return "birefnet"
    return "clip" if clip_width == CLIP_WIDTH else "unknown"


def isnet_prefix(names: Iterable[str]) -> str:
    """What stands before ISNet's own names in a file."""
    return _ISNET_PREFIX if any(name.startswith(_ISNET_PREFIX) for name in names) else ""


def birefnet_prefix(names: Iterable[str]) -> str:
    """What stands before BiRefNet's own names in a file: what a trainer on several cards, or a compiled one, has put there."""
    return next((name.removesuffix(_BIREFNET_KEYS[0]) for name in names if name.endswith(_BIREFNET_KEYS[0])), "")


def isnet_kind(stem: str, prefix: str) -> MaskKind:
    """What ISNet weights were taught to find, which tensors do not tell: by the file's name, then by its tensors' prefix.

    Line drawings where the name says ``sketch``; characters in color where it says ``anime`` or ``isnetis`` (the published
    file), or where anime-segmentation has trained it; else things of all kinds.
    """
    name = stem.lower()
    if "sketch" in name:
        return "isnet-sketches"
    return "isnet-characters" if prefix or "anime" in name or "isnetis" in name else "isnet-things"


def _kind_by_name(stem: str) -> Kind:
    """What a file that cannot be read may be meant for."""
    name = stem.lower()
    if "birefnet" in name or "rmbg" in name:
        return "birefnet"
    return isnet_kind(stem, "") if "isnet" in name else "unknown"


def _files(models_dir: Path) -> list[Path]:
    if not models_dir.is_dir():
        return []
    folders = [models_dir] + [
        each for each in sorted(models_dir.iterdir()) if each.is_dir() and not (each / CHECKSUMS).exists()
    ]
    return [path for folder in folders for path in sorted(folder.glob("*" + SUFFIX)) if path.is_file()]


def _read(name: str, path: Path, stem: str) -> DetectedModel:
    try:
        with SafetensorsFile(path) as file:
            shapes = file.shapes
        size = path.stat().st_size
    except LinewashError as error:
        return DetectedModel(name, path, _kind_by_name(stem), 0, problem=f"{error.message} {error.hint}")
    except OSError as error:  # it went away meanwhile
        return DetectedModel(name, path, "unknown", 0, problem=f"The file cannot be read: {error.strerror}.")
    clip = next((shapes[key] for key in _CLIP_KEYS if key in shapes), ())
    kind = kind_of(stem, frozenset(shapes), clip[-1] if clip else 0)
    problem = "It is no checkpoint that Linewash knows." if kind == "unknown" else ""
    return DetectedModel(name, path, kind, size, any(each.startswith(_OWN_CLIP) for each in shapes), problem)
