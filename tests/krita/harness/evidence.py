"""What a scenario saw, as pytest reads it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from backend.imaging.types import Rgba


@dataclass(frozen=True)
class Evidence:
    """The notes and files of one scenario, and how Krita ended."""

    out: Path
    result: dict[str, Any] | None
    exit_code: int | None
    seconds: float

    def __getitem__(self, key: str) -> Any:
        """One note; raises KeyError with everything that was noted."""
        values = self.values
        if key not in values:
            raise KeyError(f"{key!r} was not noted, only {sorted(values)}")
        return values[key]

    @property
    def values(self) -> dict[str, Any]:
        """All notes; also those of a scenario that was ended from outside."""
        notes = self.out / "notes.jsonl"
        lines = notes.read_text().splitlines() if notes.exists() else []
        return dict(map(json.loads, lines))

    @property
    def log(self) -> str:
        """What Krita, the plugin and the driver printed."""
        return (self.out / "krita.log").read_text(errors="replace")

    def trouble(self) -> str:
        """Why the scenario did not run to its end, '' when it did."""
        if self.result is None:
            return f"Krita ended with {self.exit_code} and no result after {self.seconds:.0f} s\n{self.log[-3000:]}"
        uncaught = "\n".join(self.result["uncaught"])
        dialogs = "\n".join(map(str, self.result["dialogs"]))
        return "\n".join(part for part in (self.result["error"], uncaught, dialogs) if part)

    def pixels(self, name: str, size: tuple[int, int]) -> Rgba:
        """(H, W, 4) uint8 RGBA, straight alpha, of a raw B, G, R, A file that the scenario kept; ``size`` is (W, H)."""
        data = np.frombuffer((self.out / name).read_bytes(), np.uint8)
        return data.reshape(size[1], size[0], 4)[..., [2, 1, 0, 3]]
