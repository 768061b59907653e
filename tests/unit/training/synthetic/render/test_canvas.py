"""Shapes over one another: what hides which lines; and what composing does to lines and references."""

import numpy as np

from backend.training.synthetic.compose import LineMix, compose, random_warp_grid
from backend.training.synthetic.render.canvas import Sheet, rasterize
from backend.training.synthetic.render.curves import ellipse
from backend.training.synthetic.render.shading import Shading
from backend.training.synthetic.scenes.backgrounds import Backgrounds
from backend.training.synthetic.types import View

SIZE = 96
FRAME = np.array([[30.0, 0, 48], [0, 30, 48]])
PALETTE = {
    name: np.array(rgb, np.uint8) for name, rgb in {"top": (80, 160, 200), "trim": (240, 240, 90), "ink": (0, 0, 0)}.items()
}
BAR = np.array([[-0.2, -2.0], [0.2, -2.0], [0.2, 2.0], [-0.2, 2.0]])


FLAT = Shading()


def drawn(sheet: Sheet, shading: Shading = FLAT) -> View:
    return rasterize(sheet, PALETTE, FRAME, SIZE, shading)


def test_a_pattern_leaves_the_lines_of_its_cloth() -> None:
    plain, striped = Sheet(), Sheet()
    for sheet in (plain, striped):
        base = sheet.fill(ellipse(0, 0, 1, 1), "top", 0.08)
        sheet.stroke(np.array([[-0.8, 0.3], [0.8, 0.3]]), 0.06, base)
    striped.fill(BAR, "trim", 0.0, clip=0)
    assert np.array_equal(drawn(plain).line, drawn(striped).line)
    assert (drawn(striped).rgb[40, 48] == PALETTE["trim"]).all()


def test_a_shape_on_top_hides_lines_below() -> None:
    sheet = Sheet()
    base = sheet.fill(ellipse(0, 0, 1, 1), "top", 0.08)
    sheet.stroke(np.array([[-0.8, 0.0], [0.8, 0.0]]), 0.06, base)
    assert drawn(sheet).line[48, 48] < 100
    sheet.fill(BAR, "trim", 0.0)
    assert drawn(sheet).line[48, 48] == 255


def test_inner_lines_can_be_faint_and_do_not_lighten_dark_ones() -> None:
    sheet = Sheet()
    sheet.fill(ellipse(0, 0, 1, 1), "top", 0.1)
    sheet.stroke(np.array([[-1.2, 0.0], [1.2, 0.0]]), 0.1)
    line = drawn(sheet, Shading(inner_darkness=0.4)).line
    assert 130 < line[48, 48] < 200  # 0.4 dark
    assert line[48, 18] < 40 and line[48, 78] < 40  # where it crosses the outline


def test_lines_come_from_where_the_mix_says() -> None:
    sheet = Sheet()
    sheet.fill(ellipse(0, 0, 1, 1), "top", 0.05)
    sheet.stroke(np.array([[-0.5, 0.0], [0.5, 0.0]]), 0.05)
    view = drawn(sheet)
    # Color without any lines: an extractor cannot see the stroke, the exact drawing has it.
    bare = View(np.where(view.mask[..., None] > 0, PALETTE["top"], 255).astype(np.uint8), view.line, view.mask)
    backgrounds = Backgrounds(None, 1.0)
    exact, extracted = [], []
    for seed in range(20):
        for mix, found in ((LineMix(0.0, 0.0, 0.0), exact), (LineMix(1.0, 0.0, 0.0), extracted)):
            item = compose(np.random.default_rng(seed), bare, bare, backgrounds, SIZE, "a/b", mix)
            found.append(int(item.line[44:53, 40:57].min()))
    assert max(exact) < 200
    # Some have so little ink that the exact lines are laid over.
    assert float(np.median(extracted)) > 230


def test_bending_is_gentle() -> None:
    for seed in range(10):
        xs, ys = random_warp_grid(np.random.default_rng(seed), 200)
        at = np.arange(200)
        assert np.abs(xs - at[None]).max() < 20 and np.abs(ys - at[:, None]).max() < 20
        assert np.diff(xs, axis=1).min() > 0.3 and np.diff(ys, axis=0).min() > 0.3  # nothing folds over
