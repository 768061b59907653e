"""Downloads files from the Hugging Face hub, continues interrupted downloads, and checks digests.

``HF_ENDPOINT`` and ``HF_HUB_OFFLINE`` have the same meaning as in huggingface_hub.  No token is sent.
"""

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from huggingface_hub import HfApi, get_hf_file_metadata, hf_hub_url
from huggingface_hub.errors import EntryNotFoundError, RepositoryNotFoundError, RevisionNotFoundError
from huggingface_hub.file_download import http_get

from backend.weights.detection import DOWNLOAD_LOCK
from shared.atomic_file import PART_SUFFIX
from shared.errors import ErrorCode, LinewashError, is_disk_full

MARGIN = 64 * 1024**2
"""Bytes to leave free on the disk."""
SUFFIXES = (".safetensors", ".ckpt", ".pth", ".pt", ".json", ".txt")
"""Suffixes of the files that are downloaded: weights, weights to be converted, and files that accompany them."""
_BLOCK = 4 * 1024**2
ProgressCallback = Callable[[int], None]
"""Called with the number of bytes downloaded so far."""


@dataclass(frozen=True)
class RemoteFile:
    """One version of a file, as the hub describes it."""

    repo: str
    """OWNER/NAME."""
    file: str
    """Path inside the repository."""
    url: str
    """Address of this version."""
    digest: str
    """Hex: SHA-256 of a large file, git's SHA-1 of a small one."""
    size: int
    """Bytes."""

    @property
    def name(self) -> str:
        """The last part of its path; the file's local name."""
        return self.file.rsplit("/", 1)[-1]


def resolve_file(repo: str, file: str, revision: str = "main", endpoint: str | None = None) -> RemoteFile:
    """Ask the hub for the address, digest and size of a file.

    endpoint: the hub's address; None = that of the environment.

    Raises LinewashError: DOWNLOAD_UNKNOWN when there is no such repository or file, a name is malformed, or the suffix is
    not in ``SUFFIXES``; DOWNLOAD_FAILED when the hub does not answer or names no size or digest.
    """
    if not file.endswith(SUFFIXES):
        raise LinewashError(ErrorCode.DOWNLOAD_UNKNOWN, f"{file} is none of {', '.join(SUFFIXES)}")
    if "\\" in file or ":" in file:  # path separators on Windows: a file name from the hub must never lead out of the folder
        raise LinewashError(ErrorCode.DOWNLOAD_UNKNOWN, f"{file} is no name of a file")
    if len(repo.split("/")) != 2:
        raise LinewashError(ErrorCode.DOWNLOAD_UNKNOWN, f"{repo} is no repository; it is called OWNER/NAME")
    url = _call_hub(lambda: hf_hub_url(repo, file, revision=revision, endpoint=endpoint))
    metadata = _call_hub(lambda: get_hf_file_metadata(url, token=False))
    if metadata.size is None or len(metadata.etag or "") not in (40, 64):
        raise LinewashError(ErrorCode.DOWNLOAD_FAILED, f"the hub names neither size nor digest of {repo}/{file}")
    pinned = hf_hub_url(repo, file, revision=metadata.commit_hash or revision, endpoint=endpoint)
    return RemoteFile(repo, file, pinned, metadata.etag, metadata.size)


def read_license(repo: str, endpoint: str | None = None) -> str:
    """The license on the repository's card; '' when it names none.

    Raises LinewashError DOWNLOAD_UNKNOWN or DOWNLOAD_FAILED.
    """
    card: Any = _call_hub(lambda: HfApi(endpoint=endpoint, token=False).model_info(repo)).card_data
    return str((card.license if card is not None else None) or "")


def download_part_path(target: Path, remote: RemoteFile) -> Path:
    """The path of the partial file beside ``target``; its name contains the digest, so that parts of two versions never mix."""
    return target.with_name(f".{target.name}.{remote.digest[:16]}{PART_SUFFIX}")


def is_downloaded(remote: RemoteFile, target: Path) -> bool:
    """Whether ``target`` already has the file's size and digest; the digest is computed only when the size is right."""
    return (
        target.is_file()
        and target.stat().st_size == remote.size
        and _compute_digest(target, len(remote.digest)) == remote.digest
    )


def check_free_space(remote: RemoteFile, target: Path) -> None:
    """Raise LinewashError DOWNLOAD_NO_ROOM when the missing part of the file and ``MARGIN`` do not fit on the disk."""
    part = download_part_path(target, remote)
    missing = remote.size - (part.stat().st_size if part.exists() else 0)
    free = shutil.disk_usage(target.parent).free
    if missing + MARGIN > free:
        raise LinewashError(ErrorCode.DOWNLOAD_NO_ROOM, f"{missing / 1e9:.2f} GB are missing, {free / 1e9:.2f} GB are free")


def download_file(remote: RemoteFile, target: Path, report: ProgressCallback) -> None:
    """Download the file to ``target``; ``target`` appears only when it is complete and its digest is right.

    A partial file from an earlier call is continued.  An interruption, Ctrl-C too, leaves the partial file in place.

    Raises LinewashError: DOWNLOAD_NO_ROOM before the download, or when the disk becomes full during it; DOWNLOAD_FAILED for
    network errors, or when another process downloads into the same folder; DOWNLOAD_DAMAGED when the digest differs, after
    deleting the partial file.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = download_part_path(target, remote)
    try:
        with FileLock(target.parent / DOWNLOAD_LOCK, timeout=0):
            check_free_space(remote, target)
            _download_part(remote, part, report)
            if _compute_digest(part, len(remote.digest)) != remote.digest:
                part.unlink()
                raise LinewashError(ErrorCode.DOWNLOAD_DAMAGED, f"{remote.repo}/{remote.file} is not what the hub says")
            part.replace(target)
    except Timeout as error:
        raise LinewashError(ErrorCode.DOWNLOAD_FAILED, "another download is going on") from error
    except OSError as error:
        code = ErrorCode.DOWNLOAD_NO_ROOM if is_disk_full(error) else ErrorCode.DOWNLOAD_FAILED
        raise LinewashError(code, str(error)) from error


def _download_part(remote: RemoteFile, part: Path, report: ProgressCallback) -> None:
    with part.open("ab") as file:
        offset = file.tell()
        if offset > remote.size:
            file.truncate(0)
            offset = 0
        report(offset)
        bar: Any = _progress_bar_class(lambda: report(file.tell()))
        headers = {"Accept-Encoding": "identity"}  # compressed bytes could not be resumed by range
        _call_hub(
            lambda: http_get(remote.url, file, resume_size=offset, headers=headers, expected_size=remote.size, tqdm_class=bar)
        )


def _progress_bar_class(report: Callable[[], None]) -> type:
    """A class with the interface of tqdm that huggingface_hub uses; it only calls ``report``."""

    class Bar:
        def __init__(self, **_options: object) -> None:
            report()

        def __enter__(self) -> "Bar":
            return self

        def __exit__(self, *_error: object) -> None:
            report()

        def update(self, _bytes: int) -> None:
            report()

    return Bar


def _compute_digest(path: Path, length: int) -> str:
    """Hex digest of ``length`` characters: 64 = SHA-256 of the content, 40 = git's SHA-1 of the blob."""
    digest = hashlib.sha256() if length == 64 else hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _call_hub(call: Callable[[], Any]) -> Any:
    """Call huggingface_hub and turn its exceptions into LinewashError; a full disk stays an OSError."""
    try:
        return call()
    except (RepositoryNotFoundError, RevisionNotFoundError, EntryNotFoundError) as error:
        raise LinewashError(ErrorCode.DOWNLOAD_UNKNOWN, str(error).strip()) from error
    except OSError as error:
        if is_disk_full(error):
            raise
        raise LinewashError(ErrorCode.DOWNLOAD_FAILED, str(error).strip()) from error
    except Exception as error:  # noqa: BLE001  the HTTP library and its exceptions depend on huggingface_hub's version
        raise LinewashError(ErrorCode.DOWNLOAD_FAILED, f"{type(error).__name__}: {error}") from error
