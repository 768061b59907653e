"""Make a data set again and again, each time killed one file operation later: ``python -m ...interrupted_build FOLDER SIZE``.

A program of its own, as it forks, and an audit hook cannot be removed.
"""

import os
import signal
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from backend.training.colorizediffusion.dataset import ImageDataset
from backend.training.colorizediffusion.dataset_builder import BuildOptions, build_dataset

NAMES = ("a/b.png", "a_b.png", "a_b.bmp", "c.png", "c.webp")
SIDE = 24
OPERATIONS = ("open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "shutil.rmtree")


def level(number: int) -> int:
    """The gray that tells image ``number``."""
    return 40 * number + 20


def sources(folder: Path) -> Path:
    for number, name in enumerate(NAMES):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (SIDE, SIDE), (level(number),) * 3).save(folder / name, lossless=True)
    return folder


def kill_at(operation: int, below: Path) -> None:
    """End this process at that file operation below a folder, counted from 1; what was opened to be written is empty then."""
    operations = 0

    def count(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal operations
        if event in OPERATIONS and isinstance(arguments[0], (str, Path)) and str(arguments[0]).startswith(str(below)):
            operations += 1
            if operations == operation:
                if event == "open" and arguments[2] & os.O_TRUNC:
                    os.close(os.open(arguments[0], os.O_WRONLY | os.O_CREAT | os.O_TRUNC))
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)


def colors(data: Path) -> list[int]:
    """The grays of all images; each has its lines and its mask."""
    folder = ImageDataset(data, masks=True)
    samples = [folder.read(number) for number in range(len(folder))]
    for sample in samples:
        assert sample.mask is not None
        assert (sample.mask == sample.color[..., 0]).all() and (sample.sketch == 255 - sample.color[..., 0]).all()
    return sorted(int(sample.color[0, 0, 0]) for sample in samples)


def gray(rgb: np.ndarray) -> np.ndarray:
    return rgb[..., 0]


def killed(images: Path, data: Path, how: BuildOptions, operation: int) -> bool:
    """Whether making it was ended there, and had not come to its end before."""
    child = os.fork()
    if not child:
        kill_at(operation, data)
        build_dataset(images, data, how, lambda name: None)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    assert status in (0, signal.SIGKILL), status
    return status == signal.SIGKILL


def main(folder: Path, archive: int) -> None:
    images, how = sources(folder / "in"), BuildOptions(gray, gray, min_side=8, archive_size=archive)
    every, operation, counts = [level(number) for number in range(len(NAMES))], 0, set[int]()
    while killed(images, folder / str(operation), how, operation + 1):
        data = folder / str(operation)
        for path in data.glob("*/*.zip"):
            assert zipfile.ZipFile(path).testzip() is None
        if list(data.glob("sketch/*/*.png")) or list(data.glob("sketch/*.zip")):
            colors_there = colors(data)
            assert len(set(colors_there)) == len(colors_there) and set(colors_there) <= set(every)
            counts.add(len(colors_there))
        assert build_dataset(images, data, how, lambda name: None).count == len(NAMES)
        assert colors(data) == every, operation
        assert not archive or not any(path.is_dir() for path in data.glob("*/*"))
        operation += 1
    assert colors(folder / str(operation)) == every
    assert counts >= set(range(1, len(NAMES))), counts
    print(operation)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
