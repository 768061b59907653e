"""Masks on the layers that are read: transparency masks cut them, and a colorize mask's key strokes are hints."""

from dataclasses import dataclass

import cv2
import numpy as np
import pytest

from backend.imaging.types import Rgba
from shared.paths import jobs_dir
from tests.krita.harness.art import Art
from tests.krita.harness.compare import read_png, untouched
from tests.krita.harness.evidence import Evidence
from tests.krita.harness.keeper import Keeper
from tests.krita.harness.scenario_player import ScenarioPlayer

pytestmark = [pytest.mark.krita, pytest.mark.timeout(1200)]
SIZE = WIDTH, HEIGHT = (333, 257)
SPACES = ("U8", "U16")
GREEN, RED, UNSEEN = (20, 200, 90), (200, 30, 40), (1, 2, 3)
STROKES = ((GREEN, (15, 55, 25, 65)), (UNSEEN, (55, 48, 65, 56)), (RED, (300, 235, 310, 243)))
"""Color and box of each key stroke: in the sky, in the sun, at the right in the grass."""
TRANSPARENT = 1
BRUSHED = ((GREEN, ((0.15, 0.12), (0.3, 0.12))), (RED, ((0.75, 0.93), (0.9, 0.93))))
KINDS = ("by_layer", "masked", "by_hand")
BY_SCRIPT = ("strokes", "strokes_and_cut", "in_group")
CUT = ("masked", "strokes_and_cut", "in_group")


@dataclass(frozen=True)
class Session:
    """What Krita showed, and the parts that were sent."""

    seen: Evidence
    sent: dict[str, dict[str, Rgba]]
    offered: bool
    """Whether this Krita lets plugins read key strokes."""

    def kinds(self) -> list[str]:
        """Everything that was played."""
        kinds = (*KINDS, *BY_SCRIPT) if self.offered else KINDS
        return [f"{space}_{kind}" for space in SPACES for kind in kinds]


def _hints() -> Rgba:
    hints = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    for index, (color, (left, top, right, bottom)) in enumerate(STROKES):
        if index != TRANSPARENT:
            hints[top:bottom, left:right] = (*color, 255)
    return hints


@pytest.fixture(scope="module")
def session(player: ScenarioPlayer, small_art: Art, tmp_path_factory: pytest.TempPathFactory) -> Session:
    path = tmp_path_factory.mktemp("strokes") / "hints.png"
    cv2.imwrite(str(path), _hints()[..., [2, 1, 0, 3]])
    offered = not player.version.startswith("5.1")
    given = {"size": SIZE, "lines": str(small_art.lines), "reference": str(small_art.reference), "hints": str(path)}
    strokes = {"strokes": STROKES, "transparent": TRANSPARENT, "brushed": BRUSHED, "offered": offered, "spaces": SPACES}
    with Keeper(jobs_dir(player.home), player.root / "sent_masks", "inputs") as keeper:
        seen = player.play("masks", {**given, **strokes})
    session = Session(seen, {}, offered)
    assert len(keeper.jobs) == len(session.kinds())
    for kind, job in zip(session.kinds(), keeper.jobs, strict=True):
        session.sent[kind] = {part.stem: read_png(part) for part in job.glob("*.png")}
    return session


def test_existing_layers_and_masks_stay_byte_identical(session: Session) -> None:
    for kind in session.kinds():
        assert untouched(session.seen[kind]["before"], session.seen[kind]["after"]), kind


def test_key_strokes_are_offered_where_krita_lets_them_be_read(session: Session) -> None:
    for space in SPACES:
        assert session.seen[f"{space}_by_hand"]["offered"] is session.offered
        assert session.seen[f"{space}_by_layer"]["offered"] is True


def test_a_colorize_mask_is_no_part_of_the_lines(session: Session, small_art: Art) -> None:
    """Neither what it has filled, nor the key strokes while they are edited; and lines on transparency stay that."""
    drawn = read_png(small_art.lines)[..., 3]
    for kind in session.kinds():
        lines = drawn.copy()
        if kind.split("_", 1)[1] in CUT:
            lines[:, WIDTH // 2 :] = 0
        assert np.array_equal(session.sent[kind]["lines"][..., 3], lines), kind
        assert session.sent[kind]["lines"][lines > 0][..., :3].max() == 0, kind
        assert session.seen[kind]["blending"] == "normal" and session.seen[kind]["above"] in ("Lines", "Drawing"), kind


def test_the_layer_that_a_mask_lies_on_is_the_line_layer(session: Session) -> None:
    for kind in session.kinds():
        assert session.seen[kind]["lines"] == ("Automatic: Drawing" if "in_group" in kind else "Automatic: Lines")


@pytest.mark.parametrize("space", SPACES)
def test_what_a_transparency_mask_hides_of_a_hint_layer_is_no_hint(session: Session, space: str) -> None:
    sent = session.sent[f"{space}_masked"]["hints"]
    expected = _hints()
    expected[:, WIDTH // 2 :] = 0
    assert np.array_equal(sent * (sent[..., 3:] > 0), expected)


@pytest.mark.parametrize("space", SPACES)
def test_what_a_transparency_mask_hides_of_a_reference_is_not_sent(session: Session, small_art: Art, space: str) -> None:
    sent, whole = session.sent[f"{space}_masked"]["reference0"], session.sent[f"{space}_by_layer"]["reference0"]
    assert not sent[:, WIDTH // 2 :, 3].any() and sent[:, : WIDTH // 2, 3].min() == 255
    assert np.array_equal(sent[:, : WIDTH // 2], whole[:, : WIDTH // 2])


def test_key_strokes_are_hints_exactly_as_those_of_a_layer(session: Session) -> None:
    """The transparent one is none."""
    for kind in session.kinds():
        if kind.split("_", 1)[1] in ("by_layer", *BY_SCRIPT):
            sent = session.sent[kind]["hints"]
            assert np.array_equal(sent * (sent[..., 3:] > 0), _hints()), kind
    for space in SPACES if session.offered else ():
        for layer in ("Foreground", "Background"):
            one, other = (session.seen.pixels(f"{space}_{kind}_{layer}.bgra", SIZE) for kind in ("by_layer", "strokes"))
            assert np.array_equal(one, other)


def test_strokes_of_a_brush_are_read_while_they_are_edited(session: Session) -> None:
    for space in SPACES if session.offered else ():
        sent = session.sent[f"{space}_by_hand"]["hints"]
        found = {tuple(color) for color in sent[sent[..., 3] == 255][:, :3].tolist()}
        assert found == {GREEN, RED}


def test_the_docker_says_that_a_colorize_mask_covers_the_result(session: Session) -> None:
    for kind in session.kinds():
        on_lines = kind.split("_", 1)[1] in ("by_hand", "strokes", "strokes_and_cut")
        assert ("Key strokes" in session.seen[kind]["says"]) is on_lines, kind


def test_window_never_stalls(session: Session) -> None:
    for kind in session.kinds():
        assert session.seen[kind]["stall"]["own"] < 0.100, (kind, session.seen[kind]["stall"])
