"""What can go wrong between this computer and the packages, as a sentence and what to do."""

import re

from ..messages import InstallError

_AGAIN = "then start the installer again; it goes on where it stopped"

SENTENCES: dict[str, tuple[str, str]] = {
    "offline": (
        "The server with the packages could not be reached.",
        f"Check that this computer is online and that no firewall keeps Python from it, {_AGAIN}.",
    ),
    "proxy": (
        "The proxy server did not let the download through.",
        f"Check the proxy's address and password in pip's settings or in the variable HTTPS_PROXY, {_AGAIN}.",
    ),
    "certificate": (
        "The connection to the server with the packages is not trusted: its certificate is not known here.",
        "If your network looks into encrypted connections, ask who runs it for its certificate and name the file in pip's "
        f"setting 'cert', {_AGAIN}. Also check this computer's clock.",
    ),
    "refused": (
        "The server does not give out {name}.",
        f"If you use a package index of your own, check that it has this file and that you may read it, {_AGAIN}.",
    ),
    "damaged": (
        "{name} arrived damaged, also the second time, so it was thrown away.",
        "Something on the way changes files: try another network, or wait a while, then start the installer again.",
    ),
    "disk_full": ("The disk is full.", f"Free some space, {_AGAIN}."),
    "unwritable": ("A folder cannot be written: {detail}", f"Allow writing there, {_AGAIN}."),
    "no_package": (
        "There is no package that fits this computer and this Python: {detail}",
        "Use another Python, 3.10 to 3.14, of 64 bits, from python.org or your system.",
    ),
}
"""Kind -> (sentence, hint), with places for ``name`` and ``detail``."""

_PATTERNS = (
    ("damaged", r"DO NOT MATCH THE HASHES|BadZipFile|has an invalid wheel"),
    ("disk_full", r"No space left on device|Errno 28|not enough space|Errno 27|File too large|Disk quota"),
    ("proxy", r"ProxyError|Cannot connect to proxy|Tunnel connection failed|407 Proxy|proxy-connection"),
    ("certificate", r"SSLError|CERTIFICATE_VERIFY_FAILED|SSLCertVerificationError|ssl-verification"),
    (
        "offline",
        r"NewConnectionError|NameResolutionError|ConnectTimeoutError|ReadTimeoutError|connection-failed|connection-timeout|"
        r"Max retries|Temporary failure in name|Connection(?:Reset|Refused|Aborted|Failed)?Error|"
        r"RemoteDisconnected|Network is unreachable",
    ),
    ("unwritable", r"Permission denied|PermissionError"),
    ("no_package", r"No matching distribution|ResolutionImpossible|conflicting dependencies|requires a different Python"),
)


def install_error(kind: str, name: str = "", detail: str = "") -> InstallError:
    """The error of ``kind``; name: the package it is about."""
    sentence, hint = SENTENCES[kind]
    values = {"name": name or "A package", "detail": detail}
    return InstallError(sentence.format(**values), hint)


def explain_pip(text: str, doing: str) -> InstallError:
    """The error for what pip printed before it failed; doing: what it was to do, as ``could not be installed``."""
    kind = next((kind for kind, pattern in _PATTERNS if re.search(pattern, text)), None)
    errors = [line.strip() for line in text.splitlines() if line.strip().startswith("ERROR:")] or text.strip().splitlines()[-1:]
    detail = " ".join(errors)[-300:]
    if kind is not None:
        return install_error(kind, detail=detail)
    return InstallError(
        f"The packages {doing}. pip says: {detail}",
        "Check that this computer is online and start the installer again; it continues where it stopped.",
    )
