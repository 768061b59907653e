"""Downloads files from the Hugging Face hub, continues interrupted downloads, and checks digests.

``HF_ENDPOINT`` and ``HF_HUB_OFFLINE`` mean what they mean to huggingface_hub.  Nothing is sent but the request: no token.
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
"""Bytes that are left free on the disk."""
SUFFIXES = (".safetensors", ".ckpt", ".pth", ".pt", ".json", ".txt")
"""Files that are fetched: weights, weights to be converted, and what lies beside them."""
_BLOCK = 4 * 1024**2
ProgressCallback = Callable[[int], None]
"""Called with the bytes done so far."""


@dataclass(frozen=True)
class RemoteFile:
    """A file as the hub describes it, in the version it had then."""

    repo: str
    """OWNER/NAME."""
    file: str
    """Path inside the repository."""
    url: str
    """Address of this very version."""
    digest: str
    """Hex: SHA-256 of a large file, git's SHA-1 of a small one."""
    size: int
    """Bytes."""

    @property
    def name(self) -> str:
        """The last part of its path: what it is called here."""
        return self.file.rsplit("/", 1)[-1]


def resolve_file(repo: str, file: str, revision: str = "main", endpoint: str | None = None) -> RemoteFile:
    """What the hub (None = the one of the environment) says of a file.

    Raises LinewashError: DOWNLOAD_UNKNOWN (no such repository or file, or one of a kind that is not fetched), DOWNLOAD_FAILED.
    """
    if not file.endswith(SUFFIXES):
        raise LinewashError(ErrorCode.DOWNLOAD_UNKNOWN, f"{file} is none of {', '.join(SUFFIXES)}")
    if "\\" in file or ":" in file:  # parts of a path on Windows: a name of the hub shall never lead out of a folder
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
    """The license on the repository's card, '' when it names none.  LinewashError DOWNLOAD_UNKNOWN, DOWNLOAD_FAILED."""
    card: Any = _call_hub(lambda: HfApi(endpoint=endpoint, token=False).model_info(repo)).card_data
    return str((card.license if card is not None else None) or "")


def download_part_path(target: Path, remote: RemoteFile) -> Path:
    """Where the file is put together: beside ``target``, a name for every content, so that two never mix."""
    return target.with_name(f".{target.name}.{remote.digest[:16]}{PART_SUFFIX}")


def is_downloaded(remote: RemoteFile, target: Path) -> bool:
    """Whether ``target`` is that very file already; reads it whole when its size is right."""
    return (
        target.is_file()
        and target.stat().st_size == remote.size
        and _compute_digest(target, len(remote.digest)) == remote.digest
    )


def check_free_space(remote: RemoteFile, target: Path) -> None:
    """LinewashError DOWNLOAD_NO_ROOM when what is still missing of the file does not fit on the disk."""
    part = download_part_path(target, remote)
    missing = remote.size - (part.stat().st_size if part.exists() else 0)
    free = shutil.disk_usage(target.parent).free
    if missing + MARGIN > free:
        raise LinewashError(ErrorCode.DOWNLOAD_NO_ROOM, f"{missing / 1e9:.2f} GB are missing, {free / 1e9:.2f} GB are free")


def download_file(remote: RemoteFile, target: Path, report: ProgressCallback) -> None:
    """Bring the file to ``target``, whole and checked or not at all.

    A part that an earlier call left is continued; whatever stops this one, Ctrl-C too, leaves it.  Raises LinewashError:
    DOWNLOAD_NO_ROOM before anything is sent for, or when others fill the disk meanwhile; DOWNLOAD_FAILED for the network, or
    when another process fetches the same; DOWNLOAD_DAMAGED when the digest differs, and then the part is gone.
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
        have = file.tell()
        if have > remote.size:
            file.truncate(0)
            have = 0
        report(have)
        bar: Any = _progress_bar_class(lambda: report(file.tell()))
        headers = {"Accept-Encoding": "identity"}  # a range of packed bytes would be of no use
        _call_hub(
            lambda: http_get(remote.url, file, resume_size=have, headers=headers, expected_size=remote.size, tqdm_class=bar)
        )


def _progress_bar_class(report: Callable[[], None]) -> type:
    """A progress bar, as huggingface_hub makes and calls one, that only reports."""

    class Bar:
        def __init__(self, **_described: object) -> None:
            report()

        def __enter__(self) -> "Bar":
            return self

        def __exit__(self, *_error: object) -> None:
            report()

        def update(self, _bytes: int) -> None:
            report()

    return Bar


def _compute_digest(path: Path, length: int) -> str:
    """sha256, or of a small file git's sha1 of its blob, as hex of ``length`` characters."""
    digest = hashlib.sha256() if length == 64 else hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _call_hub(call: Callable[[], Any]) -> Any:
    """The result of a call of huggingface_hub; its exceptions become LinewashError."""
    try:
        return call()
    except (RepositoryNotFoundError, RevisionNotFoundError, EntryNotFoundError) as error:
        raise LinewashError(ErrorCode.DOWNLOAD_UNKNOWN, str(error).strip()) from error
    except OSError as error:
        if is_disk_full(error):
            raise
        raise LinewashError(ErrorCode.DOWNLOAD_FAILED, str(error).strip()) from error
    except Exception as error:  # noqa: BLE001  its HTTP library, with errors of its own, differs from version to version
        raise LinewashError(ErrorCode.DOWNLOAD_FAILED, f"{type(error).__name__}: {error}") from error
