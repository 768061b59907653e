"""A tiny release that is set up as the docker does it: with real environments, a real pip and real downloads."""

import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from installer.checkout import RELEASE_MARK
from shared.paths import program_dir, program_file, setup_file
from shared.setup_progress import SetupProgress, read_progress
from tests.install.set_up.package_index import PackageIndex, make_wheel

NOISE = random.Random(2)
LARGE = make_wheel("large", {"large/data.bin": NOISE.randbytes(600_000)}, requires=("many",))
MANY = make_wheel("many", {f"many/part{number}.py": b"x = 1\n" * 40 for number in range(1500)})
SMALL = make_wheel("small", {"small.py": b"y = 2\n"})
WHEELS = dict((LARGE, MANY, SMALL))

PYPROJECT = """[build-system]
requires = []

[project.optional-dependencies]
backend = [
    "large>=1",
    "small>=1",
]
"""
BACKEND = """import sys, small, many.part7
from pathlib import Path
if (Path(sys.prefix) / "broken").exists():
    sys.exit("the backend is broken")
print("colored")
"""


@dataclass(frozen=True)
class SetUp:
    """A release, a home, and an index that serves its packages."""

    source: Path
    home: Path
    index: PackageIndex

    @property
    def file(self) -> Path:
        return setup_file(self.home)

    def start(self, command: str = "install", prefix: tuple[str, ...] = ()) -> "subprocess.Popen[str]":
        """The installer, as the docker starts it."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
        settings = {
            "PIP_RETRIES": "1",
            "PIP_INDEX_URL": self.index.simple,
            "PIP_CONFIG_FILE": os.devnull,
            "LINEWASH_RETRY_PAUSE_S": "0.02",
        }
        options = ("--yes", "--no-plugin", "--device", "cuda", "--home", self.home, "--progress-file", self.file)
        return subprocess.Popen(
            [*prefix, sys.executable, str(self.source / "install.py"), command, *map(str, options)],
            env={**kept, **settings, "no_proxy": "127.0.0.1", "LINEWASH_RETRY_PAUSE_S": "0.02"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, command: str = "install", prefix: tuple[str, ...] = ()) -> tuple[int, str]:
        """Run the installer to its end."""
        process = self.start(command, prefix)
        text, _ = process.communicate(timeout=120)
        return process.returncode, text

    def progress(self) -> SetupProgress:
        found = read_progress(self.file)
        assert found is not None
        return found

    def wait_for(self, process: "subprocess.Popen[str]", holds: Callable[[SetupProgress], bool]) -> bool:
        """Wait until the progress of ``process`` holds; False when it ended before."""
        while process.poll() is None:
            found = read_progress(self.file)
            if found is not None and found.pid == process.pid and holds(found):
                return True
            time.sleep(0.01)
        return False

    def installed(self) -> dict[str, str]:
        """Path -> digest of every installed file but those that Python compiles."""
        (environment,) = (program_dir(self.home) / "environments").iterdir()
        packages = environment / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
        return {
            str(path.relative_to(packages)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in packages.rglob("*")
            if path.is_file() and "__pycache__" not in path.parts and not path.relative_to(packages).parts[0].startswith("pip")
        }


def write_release(folder: Path, project: Path, version: str = "1.0", pyproject: str = PYPROJECT) -> None:
    """A release whose backend needs nothing but tiny packages."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("installer", "shared"):
        shutil.copytree(project / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(project / "install.py", folder)
    (folder / "backend").mkdir()
    (folder / "backend" / "__main__.py").write_text(f"{BACKEND}# {version}\n")
    (folder / "pyproject.toml").write_text(pyproject)
    (folder / "constraints.txt").write_text("large==1.0\nmany==1.0\nsmall==1.0\n")
    names = [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]
    files = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}
    (folder / RELEASE_MARK).write_text(json.dumps({"version": version, "protocol": 3, "files": files}))


def is_ready(set_up: SetUp) -> bool:
    """Whether what is in use works; nothing may be in use that does not."""
    if not program_file(set_up.home).exists():
        return False
    installation = json.loads(program_file(set_up.home).read_text())
    done = subprocess.run(
        [installation["python"], "-m", "backend"], cwd=installation["project"], capture_output=True, text=True
    )
    assert done.stdout == "colored\n", done.stderr
    return True


def is_half_unpacked(set_up: SetUp) -> bool:
    """Whether a part of the largest package's files is there."""
    files = list(program_dir(set_up.home).glob("environments/*/lib/*/site-packages/many/part*.py"))
    return 100 < len(files) < 1500
