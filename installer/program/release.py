"""A release: a folder of source with a RELEASE file that names its version and the digest of every file."""

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from ..checkout import RELEASE_MARK
from ..messages import InstallError

_DAMAGED_HINT = "Download Linewash again and import it into Krita once more."


@dataclass(frozen=True)
class Release:
    """What RELEASE says."""

    version: str
    protocol: int
    digest: str
    """SHA-256 of RELEASE itself: another one for any other content."""
    files: dict[str, str]
    """Path from the folder -> SHA-256."""

    @property
    def folder_name(self) -> str:
        """The name of its folder beside those of other releases."""
        return f"{self.version}-{self.digest[:12]}"


def read_release(folder: Path) -> Release:
    """The release in ``folder``; raises InstallError when RELEASE is damaged."""
    try:
        content = (folder / RELEASE_MARK).read_bytes()
        record = json.loads(content)
        files = {str(name): str(digest) for name, digest in record["files"].items()}
        release = Release(str(record["version"]), int(record["protocol"]), hashlib.sha256(content).hexdigest(), files)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InstallError(f"The release in {folder} is damaged.", _DAMAGED_HINT) from error
    if any(Path(name).is_absolute() or ".." in Path(name).parts for name in (*files, release.version)):
        raise InstallError(f"The release in {folder} names files outside of it.", _DAMAGED_HINT)
    return release


def damaged_files(folder: Path, release: Release) -> list[str]:
    """Files of ``release`` that are missing or different in ``folder``."""
    return [name for name, digest in release.files.items() if _digest(folder / name) != digest]


def copy_release(source: Path, release: Release, destination: Path) -> None:
    """Make ``destination`` hold ``release``, whole or not at all; raises InstallError when ``source`` is damaged."""
    if broken := damaged_files(source, release):
        raise InstallError(f"Linewash's own files are damaged: {', '.join(broken[:3])}.", _DAMAGED_HINT)
    fresh = destination.with_name(destination.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    for name in (*release.files, RELEASE_MARK):
        (fresh / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, fresh / name)
    if broken := damaged_files(fresh, release):
        raise InstallError(f"{fresh} could not be written whole: {', '.join(broken[:3])}.", "Check the disk and try again.")
    shutil.rmtree(destination, ignore_errors=True)
    fresh.rename(destination)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
