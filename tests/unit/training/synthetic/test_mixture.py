"""Every source: the same seed draws the same set, and a set is what it says it is."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from backend.training.synthetic.bust.identity import HELD_OUT_STYLE, STYLES
from backend.training.synthetic.bust.source import Characters2D
from backend.training.synthetic.mixture import SHARES, ArtFolders, Mixture, draw_set, training_mixture, validation_sources
from backend.training.synthetic.objects import OBJECTS, Objects2D
from backend.training.synthetic.render.canvas import Sheet, rasterize
from backend.training.synthetic.render.curves import ellipse
from backend.training.synthetic.render.shading import Shading
from backend.training.synthetic.scenes.backgrounds import Backgrounds
from backend.training.synthetic.types import DrawingSet, Source

SIZE = 96
CHARACTERS = ("tall", "drawn", "thing", "chunky3d", "validation mage", "validation storybook", "validation tall")
ALL = (*CHARACTERS, "panel", "validation pages")


def arrays(item: DrawingSet) -> dict[str, np.ndarray]:
    return {f.name: getattr(item, f.name) for f in fields(item) if f.name != "source"}


def check(item: DrawingSet) -> None:
    for name, array in arrays(item).items():
        assert array.dtype == np.uint8, name
        assert array.shape == ((SIZE, SIZE, 3) if name in ("color", "ref") else (SIZE, SIZE)), name
    assert item.line.min() <= 160 and item.line.mean() > 60  # ink on paper, not paper on ink
    assert (item.line > 200).mean() > 0.2


def all_sources(models: Path, panels: Path) -> dict[str, Source]:
    training = training_mixture(ArtFolders(models, panels), SIZE).sources
    return {**training, **{f"validation {k}": v for k, v in validation_sources(ArtFolders(models, panels), SIZE).items()}}


@pytest.fixture(scope="module")
def sources(models: Path, panels: Path) -> dict[str, Source]:
    return all_sources(models, panels)


def test_all_sources_are_there(sources: dict[str, Source]) -> None:
    assert set(sources) == set(ALL)


@pytest.mark.parametrize(
    "name",
    [
        "tall",
        "drawn",
        "thing",
        "panel",
        "chunky3d",
        "validation mage",
        "validation storybook",
        "validation tall",
        "validation pages",
    ],
)
def test_sets_are_whole_and_seeded(sources: dict[str, Source], name: str) -> None:
    sets = []
    for index in range(6):
        item, again = (draw_set(sources[name], 5, index, SIZE) for _ in range(2))
        check(item)
        for (key, a), b in zip(arrays(item).items(), arrays(again).values(), strict=True):
            assert np.array_equal(a, b), key
        assert item.source == again.source
        sets.append(item)
    assert len({s.color.tobytes() for s in sets}) == len(sets)


@pytest.mark.parametrize("name", CHARACTERS)
def test_characters_have_masks_that_fit(sources: dict[str, Source], name: str) -> None:
    for index in range(8):
        item = draw_set(sources[name], 11, index, SIZE)
        inside, outside = item.mask > 250, item.mask < 5
        assert 0.02 < inside.mean() < 0.98
        assert 0.005 < (item.refmask > 250).mean() < 0.99
        assert inside.mean() + outside.mean() > 0.8  # crisp but for its edge
        assert (item.line[inside] < 200).any()


def test_a_plain_sheet_shows_only_the_foreground() -> None:
    """On white paper everything that is not white belongs to the foreground's mask."""
    plain = 0
    source = Characters2D(Backgrounds())
    for index in range(30):
        item = draw_set(source, 3, index, SIZE)
        off = item.mask == 0
        if (item.color[off] == 255).all():
            plain += 1
            drawn = (item.color.min(2) < 200).sum()
            assert ((item.color.min(2) < 200) & ~off).sum() == drawn
    assert plain >= 3


def test_target_and_reference_share_their_paint() -> None:
    """Both drawings of an unshaded character hold the same flat colors."""
    sheet = Sheet()
    sheet.fill(ellipse(0, 0, 1, 1), "a", 0.05)
    base = sheet.fill(ellipse(0, 0.3, 0.6, 0.5), "b", 0.05)
    sheet.fill(ellipse(0.4, 0.3, 0.6, 0.6), "c", 0.0, clip=base)
    palette = {
        "a": np.array([200, 40, 40], np.uint8),
        "b": np.array([40, 200, 40], np.uint8),
        "c": np.array([40, 40, 200], np.uint8),
    }
    for scale, shift in ((30.0, 50.0), (20.0, 40.0)):
        frame = np.array([[scale, 0, shift], [0, scale, shift]])
        view = rasterize(sheet, palette, frame, SIZE, Shading())
        flat = view.rgb[(view.mask == 255) & (view.line == 255)]
        colors = {tuple(int(x) for x in c) for c in flat}
        assert {(200, 40, 40), (40, 200, 40), (40, 40, 200)} <= colors
        # The clipped shape stays inside its parent.
        blue = np.argwhere((view.rgb == [40, 40, 200]).all(2))
        assert np.hypot((blue[:, 1] - shift) / scale / 0.6, ((blue[:, 0] - shift) / scale - 0.3) / 0.5).max() < 1.1


def test_every_style_and_thing_can_be_drawn() -> None:
    for style in STYLES:
        check(draw_set(Characters2D(Backgrounds(), (style,)), 1, 2, SIZE))
    kinds = {draw_set(Objects2D(Backgrounds()), 1, i, SIZE).source.split("/")[1] for i in range(60)}
    assert kinds == set(OBJECTS)


def test_own_code_is_enough() -> None:
    """Anyone can train from an empty folder."""
    mixture = training_mixture(ArtFolders(), SIZE)
    assert set(mixture.sources) == {"tall", "drawn", "thing"}
    check(draw_set(mixture, 0, 0, SIZE))
    assert set(validation_sources(ArtFolders(), SIZE)) == {"storybook", "tall"}


def test_the_mixture_keeps_its_shares() -> None:
    class One:
        def __init__(self, name: str) -> None:
            self.name = name

        def draw(self, rng: np.random.Generator, size: int) -> DrawingSet:
            del rng
            sheet = np.zeros((size, size), np.uint8)
            return DrawingSet(sheet, sheet, sheet, sheet, sheet, self.name)

    mixture = Mixture({"drawn": One("drawn"), "thing": One("thing")})
    names = [draw_set(mixture, 0, i, 2).source for i in range(900)]
    expected = SHARES["drawn"] / (SHARES["drawn"] + SHARES["thing"])
    assert names.count("drawn") / 900 == pytest.approx(expected, abs=0.04)


def test_a_3d_source_draws_one_size(sources: dict[str, Source]) -> None:
    with pytest.raises(ValueError, match="96"):
        draw_set(sources["chunky3d"], 0, 0, SIZE * 2)


def test_the_held_out_style_is_not_trained_on() -> None:
    source = Characters2D(Backgrounds())
    assert HELD_OUT_STYLE not in source.styles
    assert not any(draw_set(source, 2, i, 64).source.endswith(HELD_OUT_STYLE) for i in range(12))
