"""``scripts/krita_rootfs.sh``: what it takes from an archive, what it refuses, and what it does when there is none.

The archive is a small one of our own, signed with a key made here, with packages of the names that Krita's have.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PROGRAMS = ("apt-get", "dpkg-deb", "dpkg-scanpackages", "gpg", "flock")
pytestmark = pytest.mark.skipif(not all(map(shutil.which, PROGRAMS)), reason=f"needs {', '.join(PROGRAMS)}")
NAMES = (
    "krita python3-pyqt5 python3 libgl1-mesa-dri fonts-dejavu-core bash dash coreutils libc-bin base-files xdotool imagemagick"
)
TRY_LATER = 75


def call(*command: object, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    words = [str(word) for word in command]
    environment = {**os.environ, **variables}
    return subprocess.run(
        words, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120
    )


@dataclass(frozen=True)
class Archive:
    """A Debian archive with one suite, ``trixie``."""

    folder: Path
    gpg_home: Path
    keyring: Path

    def package(self, name: str, content: str) -> None:
        tree = self.folder / "trees" / name
        (tree / "DEBIAN").mkdir(parents=True, exist_ok=True)
        (tree / "usr" / "share").mkdir(parents=True, exist_ok=True)
        (tree / "usr" / "share" / name).write_text(content)
        architecture = call("dpkg", "--print-architecture", folder=self.folder).stdout.strip()
        control = (
            f"Package: {name}\nVersion: 1\nArchitecture: {architecture}\nMaintainer: nobody <n@example.org>\nDescription: x\n"
        )
        (tree / "DEBIAN" / "control").write_text(control)
        (self.folder / "pool").mkdir(exist_ok=True)
        done = call(
            "dpkg-deb",
            "--root-owner-group",
            "--build",
            tree,
            self.folder / "pool" / f"{name}_1_{architecture}.deb",
            folder=tree,
        )
        assert done.returncode == 0, done.stdout

    def sign(self) -> None:
        architecture = call("dpkg", "--print-architecture", folder=self.folder).stdout.strip()
        suite = self.folder / "dists" / "trixie"
        index = suite / "main" / f"binary-{architecture}" / "Packages"
        index.parent.mkdir(parents=True, exist_ok=True)
        scanned = subprocess.run(["dpkg-scanpackages", "pool"], cwd=self.folder, capture_output=True, text=True, check=True)
        index.write_text(scanned.stdout)
        content = index.read_bytes()
        line = f" {hashlib.sha256(content).hexdigest()} {len(content)} {index.relative_to(suite)}"
        release = suite / "Release"
        head = f"Suite: trixie\nCodename: trixie\nArchitectures: {architecture}\nComponents: main\n"
        release.write_text(f"{head}Date: Sun, 01 Jan 2023 00:00:00 UTC\nSHA256:\n{line}\n")
        (suite / "InRelease").unlink(missing_ok=True)
        signing = ("--batch", "--homedir", self.gpg_home, "--clearsign", "--output", suite / "InRelease", release)
        done = call("gpg", *signing, folder=self.folder)
        assert done.returncode == 0, done.stdout


@dataclass(frozen=True)
class Place:
    """An archive and a cache to unpack it into."""

    archive: Archive
    cache: Path
    script: Path

    def __call__(self, *arguments: str, keyring: Path | None = None) -> subprocess.CompletedProcess[str]:
        variables = {
            "MIRROR": f"copy:{self.archive.folder}",
            "KEYRING": str(keyring or self.archive.keyring),
            "LINEWASH_KRITA_CACHE": str(self.cache),
        }
        return call("bash", self.script, *arguments, folder=self.cache.parent, **variables)

    @property
    def root(self) -> Path:
        return self.cache / "5.2" / "root"


def new_key(home: Path, name: str) -> None:
    done = call("gpg", "--batch", "--homedir", home, "--passphrase", "", "--quick-gen-key", name, "ed25519", folder=home)
    assert done.returncode == 0, done.stdout
    with (home / f"{name}.gpg").open("wb") as file:
        subprocess.run(["gpg", "--batch", "--homedir", home, "--export", name], stdout=file, check=True)


@pytest.fixture(scope="module")
def gpg_home() -> Iterator[Path]:
    """Keys named ours, which signs, and other.  In a short path: gpg's agent listens in there."""
    with tempfile.TemporaryDirectory(prefix="gpg") as folder:
        home = Path(folder)
        home.chmod(0o700)
        for name in ("ours", "other"):
            new_key(home, name)
        yield home
        subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=False)


@pytest.fixture
def place(tmp_path: Path, gpg_home: Path, project: Path) -> Place:
    (tmp_path / "archive").mkdir()
    archive = Archive(tmp_path / "archive", gpg_home, gpg_home / "ours.gpg")
    for name in NAMES.split():
        archive.package(name, f"this is {name}")
    archive.sign()
    return Place(archive, tmp_path / "cache", project / "scripts" / "krita_rootfs.sh")


def test_it_unpacks_once_and_again_only_what_is_new(place: Place) -> None:
    first = place("make", "5.2")
    assert first.returncode == 0 and "unpacked 12 packages of trixie" in first.stdout, first.stdout
    assert (place.root / "usr" / "share" / "krita").read_text() == "this is krita"
    assert place("path", "5.2").stdout.strip() == str(place.root)
    assert "up to date" in place("make", "5.2").stdout
    place.archive.package("krita", "this is a newer krita")
    place.archive.sign()
    assert "unpacked 12 packages" in place("make", "5.2").stdout
    assert (place.root / "usr" / "share" / "krita").read_text() == "this is a newer krita"
    assert place("remove", "5.2").returncode == 0
    assert not place.root.exists()


def test_without_an_archive_what_is_there_is_used_and_it_says_so(place: Place) -> None:
    assert place("make", "5.2").returncode == 0
    shutil.rmtree(place.archive.folder / "dists")
    again = place("make", "5.2")
    assert again.returncode == 0
    assert "could not be fetched; the one unpacked on" in again.stdout.splitlines()[-1]
    assert (place.root / "usr" / "share" / "krita").is_file()


def test_without_an_archive_and_with_nothing_there_it_ends_with_its_own_status(place: Place) -> None:
    shutil.rmtree(place.archive.folder / "dists")
    assert place("make", "5.2").returncode == TRY_LATER
    assert not place.root.exists()
    run = place("run", "5.2", "krita")
    assert run.returncode == 1 and "first:" in run.stdout


def test_an_archive_signed_by_anyone_else_is_refused(place: Place) -> None:
    done = place("make", "5.2", keyring=place.archive.gpg_home / "other.gpg")
    assert done.returncode == TRY_LATER, done.stdout
    assert not place.root.exists()


def test_a_package_that_is_not_the_one_that_was_signed_is_refused(place: Place) -> None:
    (package,) = (place.archive.folder / "pool").glob("krita_*")
    content = bytearray(package.read_bytes())
    content[-1] ^= 1
    package.write_bytes(content)
    assert place("make", "5.2").returncode == TRY_LATER
    assert not place.root.exists()


def test_a_damaged_download_is_fetched_anew(place: Place) -> None:
    assert place("make", "5.2").returncode == 0
    (package,) = (place.cache / "5.2" / "apt" / "archives").glob("krita_*")
    content = package.read_bytes()
    package.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    shutil.rmtree(place.root)
    assert place("make", "5.2").returncode == 0
    assert package.read_bytes() == content


@pytest.mark.parametrize("arguments", [("make", "4.4"), ("make",), ("run", "7.0", "krita"), ("path", "..")])
def test_another_version_is_refused(place: Place, arguments: tuple[str, ...]) -> None:
    done = place(*arguments)
    assert done.returncode == 1
    assert "5.1, 5.2, 5.3" in done.stdout
