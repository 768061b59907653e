"""Downloads one file of a package from the index that pip uses on this computer, digest checked.  Blocks."""

import configparser
import hashlib
import sys
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Callable, List, Mapping, Optional, Tuple, Union
from urllib.parse import unquote, urljoin, urlsplit

import requests

from ..shared.atomic_file import replace_atomically
from ..shared.errors import ErrorCode, LinewashError, is_disk_full

PUBLIC_INDEX = "https://pypi.org/simple"
TIMEOUT_S = 30.0
_CHUNK = 1 << 18

Report = Callable[[int, int], None]
"""``report(done, total)`` in bytes, total 0 = unknown; may raise, which ends the download."""


@dataclass(frozen=True)
class PackageIndex:
    """Where packages come from."""

    url: str
    certificates: str = ""
    """A file of certificates to trust; '' = those that come with requests."""

    @property
    def verify(self) -> Union[bool, str]:
        """For requests."""
        return self.certificates or True


def configured_index(environment: Mapping[str, str], files: List[Path]) -> PackageIndex:
    """The index of pip's environment variables, else of pip's configuration (the last of ``files`` wins), else the public."""
    settings = {"index-url": "", "cert": ""}
    for file in files:
        parser = configparser.ConfigParser(interpolation=None)
        try:
            parser.read_string(file.read_text(encoding="utf-8"))
        except (OSError, ValueError, configparser.Error):
            continue
        for name in settings:
            settings[name] = parser.get("global", name, fallback=settings[name])
    url = environment.get("PIP_INDEX_URL") or settings["index-url"] or PUBLIC_INDEX
    return PackageIndex(url.rstrip("/"), environment.get("PIP_CERT") or settings["cert"])


def pip_configuration_files(environment: Mapping[str, str], platform: str = sys.platform) -> List[Path]:
    """Where pip is configured: for the computer, then for the user."""
    home = Path.home()
    named = [Path(environment["PIP_CONFIG_FILE"])] if environment.get("PIP_CONFIG_FILE") else []
    if platform == "win32":
        folders = [environment.get("PROGRAMDATA"), environment.get("APPDATA")]
        return [Path(folder) / "pip" / "pip.ini" for folder in folders if folder] + [home / "pip" / "pip.ini"] + named
    config = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    support = [home / "Library" / "Application Support" / "pip" / "pip.conf"] if platform == "darwin" else []
    return [Path("/etc/pip.conf"), home / ".pip" / "pip.conf", config / "pip" / "pip.conf", *support, *named]


def download_package(index: PackageIndex, package: str, file: str, sha256: str, target: Path, report: Report) -> None:
    """Download ``file`` of ``package`` to ``target``, which appears whole.

    LinewashError: DOWNLOAD_FAILED, DOWNLOAD_DAMAGED, DISK_FULL, SETUP_FAILED.
    """
    try:
        with requests.Session() as session:
            session.verify = index.verify
            page = session.get("%s/%s/" % (index.url, package), headers={"Accept": "text/html"}, timeout=TIMEOUT_S)
            page.raise_for_status()
            url = find_link(page.text, page.url, file)
            if url is None:
                raise LinewashError(ErrorCode.DOWNLOAD_FAILED, "the package index does not list %s" % file)
            with session.get(url, stream=True, timeout=TIMEOUT_S) as answer:
                answer.raise_for_status()
                _save(answer, sha256, target, report)
    except requests.RequestException as error:
        raise LinewashError(ErrorCode.DOWNLOAD_FAILED, repr(error)) from error
    except OSError as error:
        code = ErrorCode.DISK_FULL if is_disk_full(error) else ErrorCode.SETUP_FAILED
        raise LinewashError(code, repr(error)) from error


def find_link(page: str, base: str, file: str) -> Optional[str]:
    """The address of ``file`` on a page of an index (simple repository API, PyPA specifications); None = not there."""
    parser = _Links()
    parser.feed(page)
    for link in parser.links:
        url = urljoin(parser.base or base, link)
        if unquote(urlsplit(url).path).rsplit("/", 1)[-1] == file:
            return url
    return None


def _save(answer: requests.Response, sha256: str, target: Path, report: Report) -> None:
    total, done, digest = int(answer.headers.get("Content-Length") or 0), 0, hashlib.sha256()
    target.parent.mkdir(parents=True, exist_ok=True)
    with replace_atomically(target) as part:
        with part.open("wb") as output:
            for chunk in answer.iter_content(_CHUNK):
                output.write(chunk)
                digest.update(chunk)
                done += len(chunk)
                report(done, total)
        if digest.hexdigest() != sha256:
            raise LinewashError(ErrorCode.DOWNLOAD_DAMAGED, "%s has another digest" % target.name)


class _Links(HTMLParser):
    """Collects the targets of links."""

    def __init__(self) -> None:
        super().__init__()
        self.base = ""
        self.links: List[str] = []

    def handle_starttag(self, tag: str, attrs: "List[Tuple[str, Optional[str]]]") -> None:
        target = dict(attrs).get("href")
        if target and tag == "a":
            self.links.append(target)
        elif target and tag == "base":
            self.base = target
