"""Who may import whom: docs/architecture.md as data.

A room is named by the dotted place of its files; a file belongs to the longest room that holds it.
"""

CONTRACT = ("backend.contract.drawing", "backend.contract.family")
"""What pipeline and families agree on; it belongs to both."""

WORKER = "backend.server.worker.inference"
"""The one file of the server's that runs in the worker process alone; the worker imports it when it has started."""

_IMAGE_ROOMS = ("backend.imaging", *CONTRACT)
_MODEL_ROOMS = ("shared", *_IMAGE_ROOMS, "backend.networks", "backend.weights", "backend.families")

MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "shared": ("shared",),
    "installer": ("installer", "shared"),
    "backend.imaging": ("shared", "backend.imaging"),
    "backend.contract": (),
    "backend.contract.drawing": ("shared", "backend.imaging"),
    "backend.contract.family": ("shared", "backend.imaging", "backend.contract.drawing"),
    "backend.weights": ("shared", "backend.weights"),
    "backend.networks": ("backend.networks",),
    "backend.families": _MODEL_ROOMS,
    "backend.pipeline": ("shared", *_IMAGE_ROOMS, "backend.families", "backend.pipeline"),
    "backend.server": ("shared", "backend.imaging", "backend.server"),
    WORKER: ("shared", *_IMAGE_ROOMS, "backend.families", "backend.pipeline", "backend.server"),
    "backend.training": (*_MODEL_ROOMS, "backend.training"),
    "backend.evaluation": (*_MODEL_ROOMS, "backend.pipeline", "backend.training", "backend.evaluation"),
    "backend.cli": ("shared", "backend"),
    "backend.__main__": ("shared", "backend"),
    "backend": (),
}
"""For each room, the project's own rooms it may import.  Libraries are free but for ``MAY_NOT_USE``."""

MAY_NOT_USE: dict[str, tuple[str, ...]] = {
    "backend.imaging": ("torch", "diffusers", "accelerate"),
    "backend.contract.drawing": ("torch", "diffusers"),
    "backend.contract.family": ("torch", "diffusers"),
    "shared": ("torch", "numpy", "fastapi", "PIL"),
    "backend.server": ("torch", "diffusers", "accelerate"),
    "backend": ("krita", "PyQt5", "PyQt6"),
}
"""Libraries a room, and every room inside it but ``WORKER``, must do without."""
