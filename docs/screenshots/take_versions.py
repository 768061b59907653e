"""Take the images of the docker in the four Kritas for docs/krita_versions.md.

    python docs/screenshots/take_versions.py

Writes versions/KRITA_THEME_SCALE.png: light and dark, on an ordinary screen and on one of twice the density.
"""

import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from backend.imaging.types import Rgb
from tests.krita.harness import kritas
from tests.krita.harness.art import draw
from tests.krita.harness.scenario_player import ScenarioPlayer, play_docker_looks

HERE = Path(__file__).resolve().parent / "versions"


def crop(image: Rgb, margin: int) -> Rgb:
    """Without the empty part below the last row of the docker, but for a margin of so many pixels."""
    differs = (image != image[-margin]).any(axis=(1, 2))
    return image[: int(np.flatnonzero(differs[:-margin]).max()) + 1 + margin]


def main() -> None:
    """Take all images, or those of the Kritas that are named."""
    HERE.mkdir(exist_ok=True)
    for version in sys.argv[1:] or kritas.VERSIONS:
        with tempfile.TemporaryDirectory(prefix="linewash-screenshots-") as folder:
            player = ScenarioPlayer(Path(folder) / "player", kritas.find(version))
            try:
                for scale in (1, 2):
                    evidence = play_docker_looks(player, draw(Path(folder), (333, 257)), scale)
                    for look in ("light", "dark"):
                        image = cv2.imread(str(evidence.out / f"docker_{look}.png"), cv2.IMREAD_COLOR)
                        assert image is not None
                        image = np.asarray(image, np.uint8)
                        name = f"krita{version}_{look}_{scale}x.png"
                        cv2.imwrite(str(HERE / name), crop(image, 16 * scale), [cv2.IMWRITE_PNG_COMPRESSION, 9])
                        print(name, evidence[look])
            finally:
                player.close()


if __name__ == "__main__":
    main()
