"""Documents that are not 8-bit sRGB: the group arrives in the document's own color space and looks as it was sent."""

from dataclasses import dataclass

import numpy as np
import pytest

from backend.imaging.types import Rgba
from shared.paths import jobs_dir
from tests.krita.harness.art import Art
from tests.krita.harness.compare import groups, read_png, untouched, worst
from tests.krita.harness.evidence import Evidence
from tests.krita.harness.keeper import Keeper
from tests.krita.harness.scenario_player import ScenarioPlayer

pytestmark = [pytest.mark.krita, pytest.mark.core, pytest.mark.timeout(1200)]
SIZE = (333, 257)
SPACES = {"U16": ("RGBA", "U16"), "F32": ("RGBA", "F32"), "CMYK": ("CMYKA", "U8"), "GRAY": ("GRAYA", "U8")}
TOLERANCE = {"U16": (0.1, 1), "F32": (0.1, 1), "CMYK": (12.0, 80)}
"""Mean and largest difference allowed per channel, of 255: CMYK cannot hold every sRGB color."""


@dataclass(frozen=True)
class Session:
    """What Krita showed, and for each space the layers the server had written, by their names in Krita."""

    seen: Evidence
    sent: dict[str, dict[str, Rgba]]


@pytest.fixture(scope="module")
def session(player: ScenarioPlayer, small_art: Art) -> Session:
    files = {"lines": str(small_art.lines), "reference": str(small_art.reference)}
    with Keeper(jobs_dir(player.home), player.root / "kept_spaces") as keeper:
        seen = player.play("color_spaces", {"size": SIZE, "spaces": list(SPACES), **files})
    assert len(keeper.jobs) == len(SPACES)
    names = ("Foreground", "Background")
    sent = {
        space: {name: read_png(job / f"{name.lower()}.png") for name in names}
        for space, job in zip(SPACES, keeper.jobs, strict=True)
    }
    return Session(seen, sent)


@pytest.mark.parametrize("space", SPACES)
def test_group_is_in_the_documents_space(session: Session, space: str) -> None:
    after = session.seen[space]["after"]
    (group,) = groups(after)
    for layer in [group, *group["children"]]:
        assert tuple(layer["space"][:2]) == SPACES[space]
        assert layer["space"] == after["space"]


@pytest.mark.parametrize("space", SPACES)
def test_existing_layers_stay_byte_identical(session: Session, space: str) -> None:
    assert untouched(session.seen[space]["before"], session.seen[space]["after"])


@pytest.mark.parametrize("space", TOLERANCE)
def test_layers_hold_the_colors_that_were_sent(session: Session, space: str) -> None:
    for name, sent in session.sent[space].items():
        got = session.seen.pixels(f"{space}_{name}.bgra", SIZE)
        assert worst(got[..., 3], sent[..., 3]) == 0
        visible = sent[..., 3] > 0
        difference = np.abs(got[visible].astype(np.int16) - sent[visible])
        mean, largest = TOLERANCE[space]
        assert difference.mean() <= mean
        assert difference.max() <= largest


@pytest.mark.parametrize("space", TOLERANCE)
def test_painter_sees_them(session: Session, small_art: Art, space: str) -> None:
    """Where neither a line nor an edge of the foreground is, for Krita blends in the document's space, not in sRGB."""
    shown = session.seen.pixels(f"{space}.bgra", SIZE)[..., :3]
    foreground, background = session.sent[space]["Foreground"], session.sent[space]["Background"]
    lines = read_png(small_art.lines)[..., 3]
    for sent, where in ((foreground, foreground[..., 3] == 255), (background, foreground[..., 3] == 0)):
        plain = where & (lines == 0)
        assert plain.sum() > 1000
        assert np.abs(shown[plain].astype(np.int16) - sent[..., :3][plain]).max() <= TOLERANCE[space][1] + 1


def test_gray_document_holds_the_brightness(session: Session) -> None:
    got = session.seen.pixels("GRAY_Background.bgra", SIZE)[..., :3].astype(np.float64)
    assert np.ptp(got, axis=-1).max() <= 1
    brightness = session.sent["GRAY"]["Background"][..., :3] @ np.array([0.2126, 0.7152, 0.0722])
    assert np.corrcoef(got[..., 0].ravel(), brightness.ravel())[0, 1] > 0.95
