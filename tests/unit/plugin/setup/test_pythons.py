"""Which Python runs the installer: one of the computer's, tried by running it, else one through uv."""

import hashlib
import http.server
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def answer(path: Path, numbers: str, status: int = 0) -> Path:
    """Something that answers as a Python of that version would."""
    return program(path, f"#!/bin/sh\necho '{numbers}'\necho '{path}'\nexit {status}\n")


@pytest.fixture
def pythons(plugin: Any) -> Any:
    return plugin.setup.system_python


@pytest.mark.parametrize(
    ("numbers", "status", "fits"),
    [
        ("3 10 64", 0, True),
        ("3 13 64", 0, True),
        ("3 9 64", 0, False),
        ("3 14 64", 0, False),
        ("2 7 64", 0, False),
        ("3 12 32", 0, False),
        ("3 12 64", 1, False),
        ("pyenv: python3.12: command not found", 127, False),
    ],
)
def test_a_python_fits_by_what_it_says_of_itself(pythons: Any, tmp_path: Path, numbers: str, status: int, fits: bool) -> None:
    candidate = answer(tmp_path / "python3", numbers, status)
    assert pythons.probe_python(candidate, {}) == (candidate if fits else None)


def test_the_python_of_these_tests_leads_out_of_its_virtual_environment(pythons: Any) -> None:
    found = pythons.probe_python(Path(sys.executable), {})
    assert found is not None
    assert found.resolve() == Path(sys.executable).resolve()


def test_a_python_without_ensurepip_is_passed_over(pythons: Any, tmp_path: Path) -> None:
    broken = program(tmp_path / "python3", f'#!/bin/sh\nexec "{sys.executable}" -S "$@" < /dev/null 2>/dev/null; exit 1\n')
    text = broken.read_text().replace("-S", "-c 'raise ImportError(\"ensurepip\")'")
    assert pythons.probe_python(program(broken, text), {}) is None


def test_the_first_that_fits_in_path_is_taken(plugin: Any, pythons: Any, tmp_path: Path) -> None:
    answer(tmp_path / "shims" / "python3.12", "pyenv: not installed", 127)
    good = answer(tmp_path / "bin" / "python3.12", "3 12 64")
    path = f"{tmp_path / 'shims'}:{tmp_path / 'bin'}"
    surroundings = plugin.jobs.child_process.Surroundings({"PATH": path}, "", ())
    assert pythons.find_system_python(surroundings) == good


def test_kritas_own_python_is_left_alone(plugin: Any, pythons: Any, tmp_path: Path) -> None:
    answer(tmp_path / "AppDir" / "usr" / "bin" / "python3.12", "3 12 64")
    environment = {"PATH": f"{tmp_path / 'AppDir' / 'usr' / 'bin'}", "APPDIR": str(tmp_path / "AppDir")}
    surroundings = plugin.jobs.child_process.Surroundings(environment, "", (str(tmp_path / "AppDir"),))
    found = pythons.find_system_python(surroundings)
    assert found is None or tmp_path not in found.parents


@pytest.mark.parametrize(
    ("path", "platform", "foreign"),
    [("/usr/bin/python3", "darwin", True), ("/usr/local/bin/python3", "darwin", False), ("/usr/bin/python3", "linux", False)],
)
def test_what_only_stands_for_a_python_is_left_alone(pythons: Any, path: str, platform: str, foreign: bool) -> None:
    assert pythons.is_foreign(Path(path), platform, ()) is foreign


def test_pins_name_a_wheel_for_every_computer_that_pytorch_is_made_for(plugin: Any) -> None:
    uv = plugin.setup.uv_python
    pins = uv.PINS.read_text()
    for system, machine in (("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "arm64"), ("win32", "AMD64")):
        wheel = uv.pinned_wheel(pins, system, machine)
        assert wheel.file.endswith(".whl") and len(wheel.sha256) == 64 and wheel.version == "0.13.9"
    assert uv.pinned_wheel(pins, "linux", "sparc64") is None


class Index(http.server.ThreadingHTTPServer):
    """A package index with one file."""

    def __init__(self, file: str, content: bytes) -> None:
        page = f'<html><body><a href="../files/{file}#sha256=0">{file}</a></body></html>'.encode()

        class Answer(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                sent = page if self.path == "/simple/uv/" else content if self.path == f"/simple/files/{file}" else None
                self.send_response(200 if sent is not None else 404)
                self.send_header("Content-Length", str(len(sent or b"")))
                self.end_headers()
                self.wfile.write(sent or b"")

            def log_message(self, *args: Any) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self.server_address[1]}/simple"


@pytest.fixture
def index() -> Iterator[Any]:
    servers: list[Index] = []

    def start(file: str, content: bytes) -> Index:
        servers.append(Index(file, content))
        threading.Thread(target=servers[-1].serve_forever).start()
        return servers[-1]

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def fetch(plugin: Any, url: str, content: bytes, target: Path, seen: "list[tuple[int, int]] | None" = None) -> None:
    packages = plugin.setup.package_index
    report = (seen if seen is not None else []).append
    digest = hashlib.sha256(content).hexdigest()
    packages.download_package(
        packages.PackageIndex(url), "uv", "uv-1.whl", digest, target, lambda done, total: report((done, total))
    )


def test_a_file_of_the_index_arrives_whole(plugin: Any, index: Any, tmp_path: Path) -> None:
    content, seen = b"wheel" * 100_000, []
    fetch(plugin, index("uv-1.whl", content).url, content, tmp_path / "a" / "uv-1.whl", seen)
    assert (tmp_path / "a" / "uv-1.whl").read_bytes() == content
    assert seen[-1] == (len(content), len(content))


@pytest.mark.parametrize("trouble", ["damaged", "not listed", "no network"])
def test_a_download_that_fails_leaves_nothing_and_says_why(plugin: Any, index: Any, tmp_path: Path, trouble: str) -> None:
    code = plugin.shared.errors.ErrorCode
    url = index("uv-1.whl" if trouble != "not listed" else "uv-2.whl", b"other").url
    if trouble == "no network":
        url = "http://127.0.0.1:9/simple"
    with pytest.raises(plugin.shared.errors.LinewashError) as caught:
        fetch(plugin, url, b"wheel", tmp_path / "uv-1.whl")
    assert caught.value.code is (code.DOWNLOAD_DAMAGED if trouble == "damaged" else code.DOWNLOAD_FAILED)
    assert not list(tmp_path.iterdir())


def test_the_index_is_the_one_that_pip_uses(plugin: Any, tmp_path: Path) -> None:
    packages = plugin.setup.package_index
    for_all, own = tmp_path / "all.conf", tmp_path / "own.conf"
    key = "index" + "-url"
    for_all.write_text(f"[global]\n{key} = https://all.example/simple\ncert = all.pem\n")
    own.write_text(f"[global]\n{key} = https://own.example/simple/\n")
    configured = packages.configured_index
    assert configured({}, [for_all, own]) == packages.PackageIndex("https://own.example/simple", "all.pem")
    assert configured({"PIP_INDEX_URL": "https://env.example"}, [own]).url == "https://env.example"
    assert configured({}, [tmp_path / "none.conf"]).url == packages.PUBLIC_INDEX


def test_uv_is_unpacked_once_and_kept(plugin: Any, index: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    uv, packages = plugin.setup.uv_python, plugin.setup.package_index
    with zipfile.ZipFile(tmp_path / "w.whl", "w") as archive:
        archive.writestr("uv-9.data/scripts/uv", "#!/bin/sh\nexit 1\n")
    content = (tmp_path / "w.whl").read_bytes()
    pins = tmp_path / "uv.txt"
    pins.write_text(f"{sys.platform} {uv.platform.machine().lower()} {hashlib.sha256(content).hexdigest()} uv-9-x.whl\n")
    monkeypatch.setattr(uv, "PINS", pins)
    server = index("uv-9-x.whl", content)
    tools = tmp_path / "tools"
    found = uv.fetch_uv(tools, packages.PackageIndex(server.url), lambda done, total: None)
    assert found == tools / "uv-9" / "uv"
    assert uv.fetch_uv(tools, packages.PackageIndex("http://127.0.0.1:9"), lambda done, total: None) == found
    with pytest.raises(plugin.shared.errors.LinewashError) as caught:
        uv.install_uv_python(found, tools, {}, "", lambda: False)
    assert caught.value.code is plugin.shared.errors.ErrorCode.SETUP_NO_PYTHON
