"""Take the README's images in the real Krita: drawings of our own renderer, colored by the shipped model.

    python docs/screenshots/take.py

Writes docker.png (Krita's whole window) and before_after.png (drawing, reference, result; in the first row the foreground is
found automatically, in the second it is a mask layer).  Both characters are in a style that the model never saw in training.
"""

import shutil
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from backend.imaging.types import Rgb
from backend.training.synthetic.bust.identity import HELD_OUT_STYLE
from backend.training.synthetic.bust.source import Characters2D
from backend.training.synthetic.mixture import VALIDATION_SEED, draw_set
from backend.training.synthetic.scenes.backgrounds import Backgrounds
from tests.krita.harness import needs
from tests.krita.harness.scenario_player import TRAINED, ScenarioPlayer

HERE = Path(__file__).resolve().parent
SIDE = 1024
DRAWINGS = {"mask": 509, "automatic": 502}
"""Where the foreground comes from -> the number of the drawing.  The last one is shown in Krita, with a warm backend."""


def draw(folder: Path, number: int, masked: bool) -> dict[str, str]:
    """Write one drawing, its reference and, if wanted, its mask; the paths of the files."""
    source = Characters2D(Backgrounds(None), (HELD_OUT_STYLE,))
    drawing = draw_set(source, VALIDATION_SEED + 2, number, SIDE)
    ink = 255 - drawing.line.reshape(SIDE, SIDE, -1)[..., 0]
    images = {"lines": np.dstack([np.zeros((SIDE, SIDE, 3), np.uint8), ink]), "reference": drawing.ref[..., ::-1]}
    if masked:
        images["mask"] = drawing.mask
    files = {"mask": ""}
    for name, image in images.items():
        files[name] = str(folder / f"{number}_{name}.png")
        cv2.imwrite(files[name], image)
    return files


def row(before: Rgb, reference: Rgb, after: Rgb, side: int = 560) -> Rgb:
    """Drawing, reference (smaller) and result beside each other on white; BGR."""
    small = side * 5 // 8
    middle = np.full((side, small + 48, 3), 255, np.uint8)
    top = (side - small) // 2
    middle[top : top + small, 24:-24] = cv2.resize(reference, (small, small), interpolation=cv2.INTER_AREA)
    inner = (side - 4, side - 4)
    large = [cv2.resize(image, inner, interpolation=cv2.INTER_AREA) for image in (before, after)]
    left, right = (cv2.copyMakeBorder(image, 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=(190, 190, 190)) for image in large)
    return np.hstack([left, middle, right])


def main() -> None:
    """Draw, color in Krita, and write the two images."""
    if needs.missing():
        sys.exit(needs.missing())
    with tempfile.TemporaryDirectory(prefix="linewash-screenshots-") as folder:
        drawings = {name: draw(Path(folder), number, name == "mask") for name, number in DRAWINGS.items()}
        player = ScenarioPlayer(Path(folder) / "player")
        try:
            evidence = player.play("screenshots", {"size": (SIDE, SIDE), "images": drawings}, model=TRAINED)
        finally:
            player.close()
        rows = []
        for name, files in drawings.items():
            before, after = (evidence.pixels(f"{name}_{when}.bgra", (SIDE, SIDE))[..., 2::-1] for when in ("before", "after"))
            rows.append(row(before, cv2.imread(files["reference"]), after))
            print(name, evidence[name])
        shutil.copy(evidence.out / "automatic.png", HERE / "docker.png")
    gap = np.full((24, rows[0].shape[1], 3), 255, np.uint8)
    cv2.imwrite(str(HERE / "before_after.png"), np.vstack([rows[1], gap, rows[0]]), [cv2.IMWRITE_PNG_COMPRESSION, 9])


if __name__ == "__main__":
    main()
