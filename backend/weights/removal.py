"""Deletes models by name from the models folder, and nothing outside it."""

import re
from collections.abc import Iterable
from pathlib import Path

from backend.weights.detection import DOWNLOAD_LOCK, GENERIC_STEM, SUFFIX, display_name, registry_name, scan_models
from shared.atomic_file import PART_SUFFIX

_BESIDE = (".json", ".txt")
"""Endings of files that lie beside weights and mean nothing without them."""
_DIGEST = re.compile(r"\.[0-9a-f]{1,16}" + re.escape(PART_SUFFIX) + "$")


def list_partial_downloads(models_dir: Path) -> list[Path]:
    """Parts of downloads that were interrupted."""
    return sorted([*models_dir.glob(".*" + PART_SUFFIX), *models_dir.glob("*/.*" + PART_SUFFIX)])


def model_name_of_part(part: Path, models_dir: Path) -> str:
    """The name under which a part is deleted: that of its model, for what lies beside a model's weights too."""
    target = part.with_name(_DIGEST.sub("", part.name).removeprefix("."))
    if target.suffix in _BESIDE and part.parent != models_dir:
        target = target.with_name(GENERIC_STEM + SUFFIX)  # a vocabulary has its folder for itself and the model
    return registry_name(display_name(target, models_dir))


def list_model_files(name: str, models_dir: Path) -> list[Path]:
    """The file of that model and the parts of its download, [] when there is neither."""
    paths = [each.path for each in scan_models(models_dir) if each.name == name]
    return paths + [part for part in list_partial_downloads(models_dir) if model_name_of_part(part, models_dir) == name]


def find_linked_folders(paths: Iterable[Path], models_dir: Path) -> list[Path]:
    """Folders of ``paths`` that are links: what lies in them is not the models folder's, and is never deleted."""
    home, folders = models_dir.resolve(), {path.parent for path in paths} - {models_dir}
    return sorted(folder for folder in folders if folder.resolve() != home / folder.name)


def delete_files(paths: Iterable[Path], models_dir: Path) -> None:
    """Delete files of the models folder, descriptions beside them, and folders in which nothing else of use is left.

    A file that is a link is unlinked and its target stays; what lies in a folder that is a link (``elsewhere``) stays, too.
    """
    within = [path for path in paths if not find_linked_folders([path], models_dir)]
    for path in within:
        path.unlink(missing_ok=True)
        path.with_suffix(".json").unlink(missing_ok=True)
    for folder in {path.parent for path in within} - {models_dir}:
        left = list(folder.iterdir())
        if all(not each.is_dir() and (each.suffix in _BESIDE or each.name == DOWNLOAD_LOCK) for each in left):
            for each in left:
                each.unlink()
            folder.rmdir()
