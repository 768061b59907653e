"""Deletes models from the models folder by name; never touches anything outside it."""

import re
from collections.abc import Iterable
from pathlib import Path

from backend.weights.detection import DOWNLOAD_LOCK, GENERIC_STEM, SUFFIX, display_name, registry_name, scan_models
from shared.atomic_file import PART_SUFFIX

_SIDECAR_SUFFIXES = (".json", ".txt")
"""Suffixes of files that accompany weights and are useless without them."""
_PART_ENDING = re.compile(r"\.[0-9a-f]{1,16}" + re.escape(PART_SUFFIX) + "$")


def list_partial_downloads(models_dir: Path) -> list[Path]:
    """The partial files of interrupted downloads."""
    return sorted([*models_dir.glob(".*" + PART_SUFFIX), *models_dir.glob("*/.*" + PART_SUFFIX)])


def model_name_of_part(part: Path, models_dir: Path) -> str:
    """The name of the model that a partial file belongs to; also for a file that accompanies the weights."""
    target = part.with_name(_PART_ENDING.sub("", part.name).removeprefix("."))
    if target.suffix in _SIDECAR_SUFFIXES and part.parent != models_dir:
        target = target.with_name(GENERIC_STEM + SUFFIX)  # the folder, and with it this file, belongs to one model
    return registry_name(display_name(target, models_dir))


def list_model_files(name: str, models_dir: Path) -> list[Path]:
    """The model's file and the partial files of its download; [] when there are none."""
    paths = [model.path for model in scan_models(models_dir) if model.name == name]
    return paths + [part for part in list_partial_downloads(models_dir) if model_name_of_part(part, models_dir) == name]


def find_linked_folders(paths: Iterable[Path], models_dir: Path) -> list[Path]:
    """The parent folders of ``paths`` that are links; their content lies outside the models folder and is never deleted."""
    home, folders = models_dir.resolve(), {path.parent for path in paths} - {models_dir}
    return sorted(folder for folder in folders if folder.resolve() != home / folder.name)


def delete_files(paths: Iterable[Path], models_dir: Path) -> None:
    """Delete files of the models folder, their sidecar JSON files, and folders with nothing useful left in them.

    Of a file that is a link only the link is deleted.  Files in a folder that is a link are kept.
    """
    inside = [path for path in paths if not find_linked_folders([path], models_dir)]
    for path in inside:
        path.unlink(missing_ok=True)
        path.with_suffix(".json").unlink(missing_ok=True)
    for folder in {path.parent for path in inside} - {models_dir}:
        rest = list(folder.iterdir())
        if all(not path.is_dir() and (path.suffix in _SIDECAR_SUFFIXES or path.name == DOWNLOAD_LOCK) for path in rest):
            for path in rest:
                path.unlink()
            folder.rmdir()
