"""The packages an installation takes: what pip's resolver found, as plain values."""

import json
import re
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Package:
    """One file that pip installs."""

    name: str
    """Canonical: lower case, with hyphens."""
    version: str
    file: str
    """Name of the file."""
    url: str
    sha256: str = ""
    """'' = the index does not say."""
    size: int = 0
    """Bytes; 0 = unknown."""

    @property
    def is_wheel(self) -> bool:
        """Whether it only has to be unpacked; else it is built, which may take tools from the index."""
        return self.file.endswith(".whl")

    @property
    def local_path(self) -> Path | None:
        """Where it lies on this computer already; None when it is to be downloaded."""
        parts = urllib.parse.urlsplit(self.url)
        return Path(urllib.request.url2pathname(parts.path)) if parts.scheme == "file" else None

    def path(self, downloads: Path) -> Path:
        """Where it lies when it is downloaded to ``downloads``."""
        return self.local_path or downloads / self.file


def canonical(name: str) -> str:
    """A package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_report(report: Mapping[str, Any]) -> tuple[Package, ...]:
    """The packages of pip's installation report (``pip install --report``, version 1)."""
    packages: list[Package] = []
    for item in report["install"]:
        link, metadata = item["download_info"], item["metadata"]
        url = str(link["url"])
        archive = link.get("archive_info", {})
        digest = archive.get("hashes", {}).get("sha256", "")
        file = urllib.parse.unquote(urllib.parse.urlsplit(url).path.rsplit("/", 1)[-1])
        packages.append(Package(canonical(metadata["name"]), metadata["version"], file, url, digest))
    return tuple(packages)


def to_json(packages: Iterable[Package]) -> str:
    """JSON that ``from_json`` reads."""
    return json.dumps([asdict(package) for package in packages], indent=1)


def from_json(text: str) -> tuple[Package, ...]:
    """The packages in ``text``; ValueError when it is no such list."""
    try:
        return tuple(Package(**item) for item in json.loads(text))
    except (TypeError, KeyError) as error:
        raise ValueError(f"no list of packages: {error}") from error


def with_sizes(packages: Iterable[Package], sizes: Iterable[int]) -> tuple[Package, ...]:
    """``packages`` with their sizes."""
    return tuple(replace(package, size=size) for package, size in zip(packages, sizes, strict=True))


def missing_packages(packages: Iterable[Package], installed: Mapping[str, str]) -> tuple[Package, ...]:
    """Those of ``packages`` that ``installed`` (name -> version) does not have at the same version."""
    return tuple(package for package in packages if installed.get(package.name) != package.version)


def remaining_bytes(packages: Iterable[Package], downloads: Path) -> int:
    """Bytes that are still to be downloaded."""
    total = 0
    for package in packages:
        if package.local_path is None:
            here = [downloads / package.file, downloads / f"{package.file}.part"]
            total += max(0, package.size - max((path.stat().st_size for path in here if path.is_file()), default=0))
    return total


def unpacked_bytes(paths: Iterable[Path]) -> int:
    """Bytes of all files in these wheels, unpacked."""
    total = 0
    for path in paths:
        if path.suffix == ".whl":
            with zipfile.ZipFile(path) as archive:
                total += sum(entry.file_size for entry in archive.infolist())
    return total
