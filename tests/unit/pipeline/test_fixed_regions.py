"""Hints, and the recoloring of a selection, through all stages with families that heed neither."""

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest

from backend.contract.drawing import Colors, Drawing, Inputs, PreviousResult, ProgressCallback, ResultLayers
from backend.families.runtime.condition_cache import condition_key
from backend.imaging.types import Rgba
from backend.pipeline.prepare import prepare
from backend.pipeline.run import colorize
from shared.errors import ErrorCode, LinewashError
from shared.protocol import ColorizeRequest, Finish
from tests.unit.pipeline.conftest import FakeFamily

SIDE = 320
HINT, OTHER = (30, 60, 220), (240, 210, 10)
FINISHES = list(Finish)


class Stubborn(FakeFamily):
    """Any colors, the same for the same seed; the painted ones shaded from left to right."""

    def condition(self, drawing: Drawing, request: ColorizeRequest) -> Any:
        return drawing.regions

    def denoise(self, condition: Any, request: ColorizeRequest, on_step: ProgressCallback) -> Any:
        return np.random.default_rng(request.seed).integers(60, 200, (condition.count, 3)).astype(np.uint8)

    def decode(self, condition: Any, latent: Any, drawing: Drawing, request: ColorizeRequest) -> Colors:
        if request.finish is Finish.FLATS:
            return Colors(latent, None)
        labels = condition.labels
        shade = np.linspace(-0.15, 0.15, labels.shape[1])[None, :, None]
        field = (latent[labels] / 255 + shade).astype(np.float32)
        return Colors(latent, cv2.resize(field, (64, 64), interpolation=cv2.INTER_AREA))


def _run(given: Inputs, **changes: Any) -> ResultLayers:
    request = replace(given.request, **changes)
    return colorize(replace(given, request=request), Stubborn(), lambda step: None).layers


def _stroke(x: int, y: int, color: tuple[int, int, int] = HINT) -> Rgba:
    hints = np.zeros((SIDE, SIDE, 4), np.uint8)
    cv2.circle(hints, (x, y), 6, (*color, 255), -1)
    return hints


@pytest.fixture
def given(inputs) -> Inputs:
    """A ring in the middle, which is the foreground, and a line along the top."""
    return inputs(SIDE, SIDE)


def _disc(radius: float) -> np.ndarray:
    y, x = np.mgrid[0:SIDE, 0:SIDE] - SIDE // 2
    return np.hypot(x, y) < radius


@pytest.mark.parametrize("finish", FINISHES)
def test_a_hint_is_exact_in_its_region_and_nowhere_else(given: Inputs, finish: Finish) -> None:
    plain = _run(given, finish=finish)
    found = _run(replace(given, hints=_stroke(160, 160)), finish=finish, hints=True)
    inner, color = _disc(0.35 * SIDE - 5), found.foreground[..., :3].astype(float)
    if finish is Finish.FLATS:
        assert (color[inner] == HINT).all()
    else:
        assert np.abs(color[inner].mean(0) - HINT).max() < 1.5
        assert color[160, 100:220].std(0).max() > 5  # and the shading is there
    outer = ~_disc(0.35 * SIDE + 5)
    assert np.array_equal(found.composite[outer], plain.composite[outer])


def test_hints_change_the_cache_key(given: Inputs) -> None:
    hinted = [replace(given, hints=_stroke(160, 160, color)) for color in (HINT, OTHER)]
    keys = {condition_key(prepare(each, Stubborn()), given.request) for each in (given, *hinted)}
    assert len(keys) == 3


def test_whatever_a_condition_depends_on_changes_the_cache_key(given: Inputs) -> None:
    request, drawing = given.request, prepare(given, Stubborn())
    changes: list[dict[str, Any]] = [{"mode": "other"}, {"parameters": {"a": 1}}, {"parameters": {"a": 2}}]
    changes += [{"finish": finish} for finish in FINISHES]
    unchanged = {condition_key(drawing, replace(request, **each)) for each in ({"seed": 9}, {"steps": 3}, {"guidance": 2.0})}
    assert unchanged == {condition_key(drawing, request)}
    assert len({condition_key(drawing, replace(request, **each)) for each in changes}) == len(changes)


def _recoloring(given: Inputs, selection: np.ndarray, before: ResultLayers, **changes: Any) -> ResultLayers:
    again = replace(given, selection=selection, previous=PreviousResult(before.foreground, before.background))
    return _run(again, selection_mask=True, previous=True, **changes)


def _soft_box(left: int, right: int, soft: float) -> np.ndarray:
    selection = np.zeros((SIDE, SIDE), np.uint8)
    selection[40:200, left:right] = 255
    return cv2.GaussianBlur(selection, (0, 0), soft) if soft else selection


@pytest.mark.parametrize("finish", FINISHES)
@pytest.mark.parametrize("soft", [0, 6])
def test_an_edit_of_a_selection_leaves_every_byte_outside_the_selection(given: Inputs, finish: Finish, soft: float) -> None:
    before = _run(given, finish=finish, seed=1)
    painted_over = before.background.copy()
    painted_over[250:300, 20:60] = (1, 2, 3, 200)  # by the painter, with holes even
    before = replace(before, background=painted_over)
    selection = _soft_box(20, 150, soft)
    found = _recoloring(given, selection, before, finish=finish, seed=2)
    outside = selection == 0
    for name in ("foreground", "background"):
        assert np.array_equal(getattr(found, name)[outside], getattr(before, name)[outside]), name
    assert (found.composite[..., 3] == 255).all()
    inside = selection == 255
    assert (found.composite[inside] != before.composite[inside]).any(-1).mean() > 0.9
    assert (found.background[inside][:, 3] == 255).all()


def test_selecting_one_region_changes_no_other(given: Inputs) -> None:
    before = _run(given, finish=Finish.FLATS, seed=1)
    selection = np.where(_disc(0.35 * SIDE + 2), 255, 0).astype(np.uint8)  # a little beyond the line
    found = _recoloring(given, selection, before, finish=Finish.FLATS, seed=2)
    assert np.array_equal(found.background, before.background)
    beyond = ~_disc(0.35 * SIDE + 2)
    assert np.array_equal(found.foreground[beyond], before.foreground[beyond])
    inner = _disc(0.35 * SIDE - 5)
    colors = np.unique(found.foreground[inner], axis=0)
    assert len(colors) == 1 and tuple(colors[0]) != tuple(before.foreground[160, 160])


def test_the_model_gets_the_colors_of_the_rest(given: Inputs) -> None:
    before = _run(given, finish=Finish.FLATS, seed=1)
    selection = np.where(_disc(0.35 * SIDE), 255, 0).astype(np.uint8)
    again = replace(
        given, selection=selection, previous=PreviousResult(before.foreground, before.background), hints=_stroke(160, 160)
    )
    drawing = prepare(again, Stubborn())
    labels = drawing.regions.labels
    assert tuple(drawing.fixed.colors[labels[160, 160]]) == HINT
    assert drawing.fixed.is_fixed.all()
    assert tuple(drawing.fixed.colors[labels[300, 5]]) == tuple(before.background[300, 5, :3])


def test_the_foreground_is_what_it_was_and_nobody_guesses(given: Inputs) -> None:
    mask = np.where(_disc(0.35 * SIDE), 255, 0).astype(np.uint8)
    before = _run(replace(given, foreground=mask), seed=1)
    family = Stubborn()
    again = replace(given, selection=mask, previous=PreviousResult(before.foreground, before.background))
    drawing = prepare(again, family)
    assert family.asked == [] and np.array_equal(drawing.mask, before.foreground[..., 3])


def test_a_hint_outside_the_selection_changes_nothing_there(given: Inputs) -> None:
    before = _run(given, finish=Finish.FLATS, seed=1)
    selection = np.where(_disc(0.35 * SIDE), 255, 0).astype(np.uint8)
    hinted = replace(given, hints=_stroke(20, 300))
    found = _recoloring(hinted, selection, before, finish=Finish.FLATS, seed=1, hints=True)
    assert np.array_equal(found.background, before.background)


def _refused(given: Inputs, **changes: Any) -> ErrorCode:
    with pytest.raises(LinewashError) as caught:
        prepare(replace(given, **changes), Stubborn())
    return caught.value.code


def test_refusals(given: Inputs) -> None:
    clear, small = np.zeros((SIDE, SIDE, 4), np.uint8), np.zeros((SIDE, SIDE - 1, 4), np.uint8)
    full = np.full((SIDE, SIDE), 255, np.uint8)
    assert _refused(given, hints=clear) is ErrorCode.EMPTY_HINTS
    assert _refused(given, hints=small) is ErrorCode.HINTS_SIZE
    assert _refused(given, selection=full) is ErrorCode.NO_PREVIOUS
    assert _refused(given, selection=full * 0, previous=PreviousResult(clear, clear)) is ErrorCode.EMPTY_SELECTION_MASK
    assert _refused(given, selection=full[1:], previous=PreviousResult(clear, clear)) is ErrorCode.SELECTION_MASK_SIZE
    assert _refused(given, selection=full, previous=PreviousResult(clear, small)) is ErrorCode.PREVIOUS_SIZE
