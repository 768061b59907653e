"""From a list of packages to an environment that has them: download and install; each goes on where a kill left it."""

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from shared.atomic_file import write_atomically
from shared.setup_progress import SetupPhase

from ..checkout import Target
from ..devices.torch_builds import UNPACKED_FACTOR
from ..messages import InstallError
from ..progress import ProgressReport
from . import packages as package_lists
from .packages import Package
from .pip_process import QUIET, RefusedFile, fetch, run_pip, site_packages
from .requirements import check_space, free_bytes
from .resolver import PLAN_FILE, Order


def needed_bytes(order: Order, packages: Iterable[Package]) -> int:
    """Disk space that downloading and unpacking ``packages`` still takes, at most; the factor is a guess, see there."""
    packages = tuple(packages)
    sizes = sum(package.size or _local_size(package) for package in packages)
    return package_lists.remaining_bytes(packages, order.target.downloads) + int(sizes * UNPACKED_FACTOR[order.build.device])


def _local_size(package: Package) -> int:
    return package.local_path.stat().st_size if package.local_path and package.local_path.is_file() else 0


def download(python: Path, order: Order, packages: tuple[Package, ...], report: ProgressReport) -> dict[str, str]:
    """Make all of ``packages`` lie on this computer; file -> SHA-256 of those that were downloaded.  Raises InstallError."""
    downloads = order.target.downloads
    remote = [package for package in packages if package.local_path is None]
    total, names = sum(package.size for package in remote), {package.file: package.name for package in remote}
    needed, free = needed_bytes(order, packages), free_bytes(downloads)
    report.note(needed_bytes=needed, free_bytes=free)
    check_space(downloads, free, needed)
    if not remote:
        return {}
    done = total - package_lists.remaining_bytes(remote, downloads)
    report.begin(SetupPhase.DOWNLOAD, f"Downloading {len(remote)} packages, {total / 1e6:.0f} MB ...", total, max(0, done))

    def show(answer: Mapping[str, Any]) -> None:
        if "done" in answer:
            report.advance(answer["done"], names.get(answer["name"], ""), max(total, answer["done"]))

    try:
        digests: dict[str, str] = fetch(python, "download", remote, downloads, show)["files"]
    except (RefusedFile, InstallError) as error:
        # Ask again next time, and not for these addresses: the index may have moved on, or the painter have chosen another.
        (downloads / PLAN_FILE).unlink(missing_ok=True)
        raise (error.reason if isinstance(error, RefusedFile) else error) from error
    report.advance(total)
    report.end_line()
    return digests


def install(
    python: Path, order: Order, packages: tuple[Package, ...], digests: Mapping[str, str], report: ProgressReport
) -> None:
    """Install ``packages``, which are here already; digests: of the files, where the index did not say."""
    target = order.target
    if not packages and not target.is_editable:
        return
    wheels = [package for package in packages if package.is_wheel]
    paths = {package.name: package.path(target.downloads) for package in packages}
    total = package_lists.unpacked_bytes(paths[package.name] for package in wheels)
    check_space(target.venv, free_bytes(target.venv), total)
    report.begin(SetupPhase.INSTALL, f"Unpacking {len(packages)} packages ...", total)
    sizes = {package.name: package_lists.unpacked_bytes([paths[package.name]]) for package in wheels}
    lines = [
        f"{package.name}=={package.version}" + (f" --hash=sha256:{digest}" if digest else "")
        for package in wheels
        for digest in [package.sha256 or digests.get(package.file, "")]
    ]
    listing = target.downloads / "wheels.txt"
    target.downloads.mkdir(parents=True, exist_ok=True)
    write_atomically(listing, "".join(line + "\n" for line in lines).encode())
    folders = sorted({paths[package.name].parent.as_uri() for package in wheels})
    places = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": " ".join(folders)}
    installed = site_packages(target.venv)

    def look() -> None:
        names = {
            package_lists.canonical(path.parent.name.partition("-")[0]) for path in installed.glob("*.dist-info/INSTALLER")
        }
        report.advance(sum(size for name, size in sizes.items() if name in names))

    if wheels:
        options = ("install", *QUIET, "--no-deps", "--only-binary", ":all:", "--requirement", str(listing))
        run_pip(python, target.project, options, "could not be installed", places, look)
    for package in packages:
        if not package.is_wheel:
            run_pip(python, target.project, ("install", *QUIET, "--no-deps", str(paths[package.name])), "could not be built")
    if target.is_editable:
        options = ("install", *QUIET, "--no-deps", "--no-build-isolation", "--editable", ".")
        run_pip(python, target.project, options, "could not be installed", {"PIP_NO_INDEX": "1"})
    report.end_line()


def remove_downloads(target: Target) -> None:
    """Delete what was downloaded; it is installed."""
    shutil.rmtree(target.downloads, ignore_errors=True)
