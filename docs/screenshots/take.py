"""Take the README's pictures in the real Krita: the bundled demo drawing, coloured by the shipped model.

    python docs/screenshots/take.py [--tries 4] [--choose 0] [--finish Painted]

Writes docker.png (Krita's whole window) and before_after.png (drawing, reference, result) here, of the try that was chosen;
all tries stay in artifacts/krita/screenshots.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.krita.harness import needs
from tests.krita.harness.studio import PROJECT, TRAINED, Studio

HERE = Path(__file__).resolve().parent
DEMO = PROJECT / "backend" / "data" / "demo"


def transparent(lines: Path, path: Path) -> tuple[int, int]:
    """Write the drawing as black lines on transparent; width and height."""
    ink = 255 - cv2.imread(str(lines), cv2.IMREAD_GRAYSCALE)
    cv2.imwrite(str(path), np.dstack([np.zeros((*ink.shape, 3), np.uint8), ink]))
    return ink.shape[1], ink.shape[0]


def before_after(before: np.ndarray, reference: np.ndarray, after: np.ndarray, side: int = 640) -> np.ndarray:
    """Drawing, reference (smaller) and result beside each other on white; BGR."""
    big = [cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA) for picture in (before, after)]
    small = cv2.resize(reference, (side // 2, side // 2), interpolation=cv2.INTER_AREA)
    middle = np.full((side, side // 2 + 40, 3), 255, np.uint8)
    top = (side - side // 2) // 2
    middle[top : top + side // 2, 20:-20] = small
    framed = [
        cv2.copyMakeBorder(picture[2:-2, 2:-2], 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=(200, 200, 200)) for picture in big
    ]
    return np.hstack([framed[0], middle, framed[1]])


def main() -> None:
    """Read the options, take the pictures, write the chosen ones."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tries", type=int, default=4, help="how many seeds")
    parser.add_argument("--choose", type=int, default=0, help="which of them to keep")
    parser.add_argument("--finish", default="Painted")
    options = parser.parse_args()
    if needs.missing():
        sys.exit(needs.missing())
    with tempfile.TemporaryDirectory(prefix="linewash-screenshots-") as folder:
        lines = Path(folder) / "lines.png"
        size = transparent(DEMO / "lines.png", lines)
        studio = Studio(Path(folder))
        try:
            files = {"lines": str(lines), "reference": str(DEMO / "reference.png")}
            chosen = {"size": size, "tries": options.tries, "finish": options.finish}
            seen = studio.play("screenshots", {**chosen, **files}, model=TRAINED)
        finally:
            studio.close()
    pictures = [seen.pixels(name, size)[..., 2::-1] for name in ("before.bgra", f"after{options.choose}.bgra")]
    reference = cv2.imread(str(DEMO / "reference.png"))
    for number in range(options.tries):
        print(number, seen[f"says{number}"])
        cv2.imwrite(str(seen.out / f"after{number}.png"), seen.pixels(f"after{number}.bgra", size)[..., 2::-1])
    cv2.imwrite(str(HERE / "before_after.png"), before_after(pictures[0], reference, pictures[1]))
    shutil.copy(seen.out / f"window{options.choose}.png", HERE / "docker.png")


if __name__ == "__main__":
    main()
