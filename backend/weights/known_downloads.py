"""Published weights that ``linewash models download`` knows by name; other files are given by repository and path."""

from dataclasses import dataclass

_NON_COMMERCIAL = "CC BY-NC-SA 4.0: give credit, share alike, no commercial use"
_COLORIZE = "tellurion/ColorizeDiffusion"


@dataclass(frozen=True)
class KnownDownload:
    """Published weights with the files that belong to them."""

    name: str
    """The name on the command line."""
    title: str
    """One line for the list of downloads."""
    repo: str
    """OWNER/NAME on the Hugging Face hub."""
    files: tuple[str, ...]
    """Paths inside the repository, the weights first."""
    size: int
    """Approximate size of all files in bytes."""
    folder: str = ""
    """Subfolder of the models folder; '' = the models folder itself."""
    license: str = ""
    """License terms known in addition to the hub's card; '' = none."""


def _colorize(name: str, title: str, size: int) -> KnownDownload:
    return KnownDownload(name, title, _COLORIZE, (name + ".safetensors",), size, license=_NON_COMMERCIAL)


CLIP = KnownDownload(
    "clip-vit-h-14",
    "CLIP ViT-H/14: reads references for ColorizeDiffusion v1, v1.5 and v2",
    "laion/CLIP-ViT-H-14-laion2B-s32B-b79K",
    ("model.safetensors", "vocab.json", "merges.txt"),
    3_950_000_000,
    folder="clip-vit-h-14",
)
CLIP_BIGG = KnownDownload(
    "clip-vit-bigg-14",
    "CLIP ViT-bigG/14: reads references for ColorizeDiffusion XL",
    "laion/CLIP-ViT-bigG-14-laion2B-39B-b160k",
    ("open_clip_model.safetensors",),
    10_160_000_000,
    folder="clip-vit-bigg-14",
)
TAGGER = KnownDownload(
    "wd-tagger",
    "WD tagger SwinV2 v2: reads references for ColorizeDiffusion XL",
    "SmilingWolf/wd-v1-4-swinv2-tagger-v2",
    ("model.safetensors",),
    390_000_000,
    folder="wd-tagger",
)
KNOWN_DOWNLOADS = (
    _colorize("v2-full", "ColorizeDiffusion v2", 6_820_000_000),
    _colorize("switch-eps", "ColorizeDiffusion v1.5", 4_330_000_000),
    _colorize("mult-eps-newft", "ColorizeDiffusion v1", 3_890_000_000),
    _colorize("mult-eps-ft", "ColorizeDiffusion v1, an earlier fine-tuning", 3_890_000_000),
    CLIP,
    CLIP_BIGG,
    TAGGER,
)
"""Every companion has an entry of its own name (``companions.Companion``)."""


def find_download(name: str) -> KnownDownload | None:
    """The entry of that name; None when there is none."""
    return next((entry for entry in KNOWN_DOWNLOADS if entry.name == name), None)
