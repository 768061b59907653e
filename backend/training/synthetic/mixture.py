"""The sources that make up a training set, and the held-out sources that measure what was learned."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backend.training.synthetic.bust.identity import HELD_OUT_STYLE
from backend.training.synthetic.bust.source import Characters2D
from backend.training.synthetic.objects import Objects2D
from backend.training.synthetic.rigged3d.rigs import RIGS, model_files
from backend.training.synthetic.rigged3d.source import Models3D
from backend.training.synthetic.scenes.backgrounds import Backgrounds
from backend.training.synthetic.scenes.panels import PanelLibrary, Panels
from backend.training.synthetic.tall.source import Tall2D
from backend.training.synthetic.types import DrawingSet, Source

SHARES = {"tall": 0.30, "drawn": 0.18, "anime3d": 0.18, "chunky3d": 0.13, "panel": 0.16, "thing": 0.05}
"""Share of each source when all are there; without one of them, the others grow in proportion."""
VALIDATION_SETS = {"mage": 100, "storybook": 80, "pages": 60, "tall": 80}
"""Number of sets of each validation source."""
BLANK_PAPER_SHARE = 0.65
"""Share of tall characters on blank paper, as sprites are stored."""
VALIDATION_SEED = 1 << 40
"""First seed of validation. Training seeds end at 9999, so no drawn character of validation is met in training."""


@dataclass(frozen=True)
class ArtFolders:
    """Folders of art that is not drawn by this project; None leaves it out."""

    models3d: Path | None = None
    """Rigged characters, .glb."""
    panels: Path | None = None
    """Comic panels with names like E01P02_03.webp."""


class Mixture:
    """A source that draws each set with one of several sources, chosen by their shares."""

    name = "mixture"

    def __init__(self, sources: Mapping[str, Source]) -> None:
        self.sources = dict(sources)
        self.names = sorted(self.sources)
        shares = np.array([SHARES.get(n, 1.0) for n in self.names])
        self.shares = shares / shares.sum()

    def draw(self, rng: np.random.Generator, size: int) -> DrawingSet:
        """One set, by a source chosen at random."""
        return self.sources[self.names[int(rng.choice(len(self.names), p=self.shares))]].draw(rng, size)


def training_mixture(folders: ArtFolders, size: int) -> Mixture:
    """All training sources that the folders allow."""
    library = PanelLibrary(folders.panels, short_side=max(420, round(size * 1.6))) if folders.panels else None
    backgrounds = Backgrounds(library)
    sources: dict[str, Source] = {
        "tall": Tall2D(Backgrounds(library, BLANK_PAPER_SHARE)),
        "drawn": Characters2D(backgrounds),
        "thing": Objects2D(backgrounds),
    }
    if library is not None:
        sources["panel"] = Panels(library)
    if folders.models3d:
        files = model_files(folders.models3d, held_out=False)
        rigged = [f for f in files if f.stem in RIGS]
        animated = [f for f in files if f.stem not in RIGS]
        if rigged:
            sources["anime3d"] = Models3D("anime3d", rigged, backgrounds, size)
        if animated:
            sources["chunky3d"] = Models3D("chunky3d", animated, backgrounds, size)
    return Mixture(sources)


def validation_sources(folders: ArtFolders, size: int) -> dict[str, Source]:
    """Sources that training never draws from: a 3D character, a style of drawing, tall characters of other seeds, and
    episodes of the comic.
    """
    library = PanelLibrary(folders.panels, held_out=True, short_side=max(420, round(size * 1.6))) if folders.panels else None
    backgrounds = Backgrounds(library)
    sources: dict[str, Source] = {
        "storybook": Characters2D(backgrounds, (HELD_OUT_STYLE,)),
        "tall": Tall2D(Backgrounds(library, BLANK_PAPER_SHARE)),
    }
    if library is not None:
        sources["pages"] = Panels(library)
    if folders.models3d:
        sources["mage"] = Models3D("mage", model_files(folders.models3d, held_out=True), backgrounds, size)
    return sources


def draw_set(source: Source, seed: int, index: int, size: int) -> DrawingSet:
    """Set number `index` of a seed.  It depends on neither the sets drawn before nor the process."""
    return source.draw(np.random.default_rng([seed, index]), size)
