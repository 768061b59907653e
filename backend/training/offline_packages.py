"""Packages for a machine without network: packed into pieces here, unpacked there.  Uses the standard library only.

    python -m backend.training.offline_packages pack WHEELS PACK BYTES  packs wheels into PACK/00/piece, ... of at most BYTES
    python -m backend.training.offline_packages unpack PACK SITE  writes what this Python lacks, prints its PYTHONPATH
    python -m backend.training.offline_packages check  names what is missing; exits with 1 when something is

A piece is a slice of one .tar.xz with a folder for each package; PACK/NN/pieces holds the number of pieces and the digest of
the whole archive.
"""

import hashlib
import io
import lzma
import os
import re
import sys
import tarfile
import zipfile
from importlib import metadata, util
from pathlib import Path

REQUIRED_MODULES = {
    "torch": "torch",
    "numpy": "numpy",
    "scipy": "scipy",
    "cv2": "opencv-python-headless",
    "numba": "numba",
    "skimage": "scikit-image",
    "PIL": "Pillow",
    "diffusers": "diffusers",
    "accelerate": "accelerate",
    "safetensors": "safetensors",
    "moderngl": "moderngl",
    "typer": "typer",
    "rich": "rich",
}
"""Modules that training imports, each with the package that has it."""


def find_missing() -> list[str]:
    """Packages that training needs and that this Python lacks."""
    return [package for module, package in REQUIRED_MODULES.items() if util.find_spec(module) is None]


def pack(wheels: Path, out: Path, limit: int) -> int:
    """Pack every wheel of a folder, without the tests in it, into pieces of at most ``limit`` bytes; the number of pieces."""
    packed = io.BytesIO()
    with lzma.open(packed, "w", preset=9) as file, tarfile.open(fileobj=file, mode="w|") as archive:
        for wheel in sorted(wheels.glob("*.whl")):
            with zipfile.ZipFile(wheel) as content:
                for entry in content.infolist():
                    if not entry.is_dir() and "/tests/" not in entry.filename:
                        member = tarfile.TarInfo(f"{_wheel_package(wheel.name)}/{entry.filename}")
                        member.size = entry.file_size
                        archive.addfile(member, content.open(entry))
    whole = packed.getvalue()
    pieces = [whole[at : at + limit] for at in range(0, len(whole), limit)]
    for number, piece in enumerate(pieces):
        folder = out / f"{number:02d}"
        folder.mkdir(parents=True)
        (folder / "piece").write_bytes(piece)
        (folder / "pieces").write_text(f"{len(pieces)} {hashlib.sha256(whole).hexdigest()}\n", encoding="utf-8")
    return len(pieces)


def unpack(pack_folder: Path, site: Path) -> list[Path]:
    """Write the packages that this Python lacks; returns the folders to add to its path.

    Raises FileNotFoundError when a piece is missing, ValueError when the digest of all pieces is not the one that was packed.
    """
    first = next(iter(sorted(pack_folder.glob("*/pieces"))), None)
    if first is None:
        raise FileNotFoundError(f"{pack_folder} holds no packed packages")
    count, digest = first.read_text(encoding="utf-8").split()
    whole = b"".join((pack_folder / f"{number:02d}" / "piece").read_bytes() for number in range(int(count)))
    if hashlib.sha256(whole).hexdigest() != digest:
        raise ValueError(f"{pack_folder} is damaged: its pieces are not of one pack")
    installed = {_canonical_name(distribution.name) for distribution in metadata.distributions()}
    folders: dict[str, Path] = {}
    with tarfile.open(fileobj=io.BytesIO(whole), mode="r:xz") as archive:
        for member in archive:
            package, _, inner = member.name.partition("/")
            # A name with .. would be written outside of the folder.
            if package not in installed and member.isfile() and ".." not in inner.split("/"):
                folders[package] = site / package
                path = site / package / inner
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("wb") as file:
                    content = archive.extractfile(member)
                    file.write(content.read() if content else b"")
    return list(folders.values())


def _canonical_name(name: str) -> str:
    """A package name as PEP 503 normalizes it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _wheel_package(wheel: str) -> str:
    return _canonical_name(wheel.split("-")[0])


def main(arguments: list[str]) -> int:
    """Run one of the commands above; returns the exit status."""
    match arguments:
        case ["pack", wheels, out, limit]:
            print(pack(Path(wheels), Path(out), int(limit)))
        case ["unpack", folder, site]:
            print(os.pathsep.join(str(path.resolve()) for path in unpack(Path(folder), Path(site))))
        case ["check"]:
            missing = find_missing()
            if missing:
                print(f"missing here: {', '.join(missing)}", file=sys.stderr)
            return 1 if missing else 0
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
