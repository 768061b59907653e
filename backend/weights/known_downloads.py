"""Published weights that ``linewash models download`` knows by name; any other file is named by repository and path."""

from dataclasses import dataclass

_NON_COMMERCIAL = "CC BY-NC-SA 4.0 (the weights CC BY-NC): give credit, share alike, no commercial use"
_COLORIZE = "tellurion/ColorizeDiffusion"


@dataclass(frozen=True)
class KnownDownload:
    """Something to download."""

    name: str
    title: str
    repo: str
    files: tuple[str, ...]
    """Paths inside the repository, the weights first."""
    size: int
    """Bytes of all files, about."""
    folder: str = ""
    """Where in the models folder they go, '' = directly in it."""
    license: str = ""
    """What is known of it beside what the hub says, '' = nothing."""


def _colorize(name: str, title: str, size: int) -> KnownDownload:
    return KnownDownload(name, title, _COLORIZE, (name + ".safetensors",), size, license=_NON_COMMERCIAL)


CLIP = KnownDownload(
    "clip-vit-h-14",
    "CLIP ViT-H/14: reads references for ColorizeDiffusion v1 and v1.5",
    "laion/CLIP-ViT-H-14-laion2B-s32B-b79K",
    ("model.safetensors", "vocab.json", "merges.txt"),
    3_950_000_000,
    folder="clip-vit-h-14",
)
KNOWN_DOWNLOADS = (
    _colorize("switch-eps", "ColorizeDiffusion v1.5", 4_330_000_000),
    _colorize("mult-eps-newft", "ColorizeDiffusion v1", 3_890_000_000),
    _colorize("mult-eps-ft", "ColorizeDiffusion v1, an earlier fine-tuning", 3_890_000_000),
    CLIP,
)
"""Companions are among them under their own names (``companions.Companion``)."""


def find_download(name: str) -> KnownDownload | None:
    """The entry of that name."""
    return next((entry for entry in KNOWN_DOWNLOADS if entry.name == name), None)
