"""The shipped model through the Family interface."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from backend.contract.drawing import CancelledError, Colors, Drawing, StepProgress
from backend.contract.family import AnyColorModel, ColorModel
from backend.families.mini.family import Mini, MiniCondition, MiniLatent
from backend.families.registry import foreground_segmenter, load, models, shipped_specs
from backend.families.runtime.condition_cache import CachingModel
from backend.imaging.segmentation.regions import merge_and_split, segment
from shared.protocol import ColorizeRequest, Finish, ReferenceRole

REQUEST = ColorizeRequest(200, 256, (ReferenceRole.BOTH, ReferenceRole.BOTH), finish=Finish.PAINTED, steps=3)

MiniModel = ColorModel[MiniCondition, MiniLatent]


def _run(family: AnyColorModel, drawing: Drawing, request: ColorizeRequest) -> tuple[Colors, list[StepProgress]]:
    steps: list[StepProgress] = []
    condition = family.condition(drawing, request)
    latent = family.denoise(condition, request, steps.append)
    return family.decode(condition, latent, drawing, request), steps


def test_flats_are_colors_of_the_reference(mini: MiniModel, drawing: Drawing) -> None:
    colors, steps = _run(mini, drawing, replace(REQUEST, finish=Finish.FLATS))
    assert colors.field is None and colors.flats.shape == (drawing.regions.count, 3) and len(steps) == 1
    there = {tuple(c) for r in drawing.references for c in r.rgb.reshape(-1, 3).tolist()}
    assert {tuple(c) for c in colors.flats.tolist()} <= there


def test_foreground_and_background_never_mix(mini: MiniModel, drawing: Drawing) -> None:
    """Even when the mask calls all background but the disc in the middle, and only that is left for the foreground."""
    disc = np.zeros(drawing.references[0].mask.shape, np.uint8)
    cv2.circle(disc, (110, 160), 18, 255, -1)
    misled = replace(drawing, references=tuple(replace(r, mask=disc) for r in drawing.references))
    assert drawing.regions.foreground.any() and not drawing.regions.foreground.all()
    for shown in (drawing, misled):
        flats = _run(mini, shown, replace(REQUEST, finish=Finish.FLATS))[0].flats
        for side in (True, False):
            there = {tuple(c) for r in shown.references for c in r.rgb[(r.mask > 127) == side].tolist()}
            assert {tuple(c) for c in flats[shown.regions.foreground == side].tolist()} <= there


def test_same_seed_same_result_other_seed_another(mini: MiniModel, drawing: Drawing) -> None:
    first, again, other = (_run(mini, drawing, replace(REQUEST, seed=s))[0] for s in (1, 1, 2))
    assert first.field is not None and again.field is not None and other.field is not None
    assert np.array_equal(first.field, again.field)
    assert not np.array_equal(first.field, other.field)
    assert np.array_equal(first.flats, again.flats)


def test_guidance_and_steps_are_real(mini: MiniModel, drawing: Drawing) -> None:
    plain, guided, longer = (_run(mini, drawing, replace(REQUEST, **change))[0].field for change in (
        {"guidance": 1.0}, {"guidance": 4.0}, {"guidance": 1.0, "steps": 6},
    ))  # fmt: skip
    assert plain is not None and guided is not None and longer is not None
    assert np.abs(plain - guided).max() > 1 / 255
    assert np.abs(plain - longer).max() > 1 / 255


def test_painted_stays_near_the_flats(mini: MiniModel, drawing: Drawing) -> None:
    known = mini.condition(drawing, REQUEST)
    colors = mini.decode(known, mini.denoise(known, REQUEST, lambda step: None), drawing, REQUEST)
    assert colors.field is not None and colors.field.shape == (256, 200, 3)
    flat = colors.flats[drawing.regions.labels] / 255
    assert np.abs(colors.field - flat).mean() < 0.12


def test_every_step_shows_a_small_preview(mini: MiniModel, drawing: Drawing) -> None:
    steps = _run(mini, drawing, REQUEST)[1]
    assert [(s.step, s.steps) for s in steps] == [(1, 3), (2, 3), (3, 3)]
    for step in steps:
        assert step.preview is not None and step.preview.dtype == np.uint8 and max(step.preview.shape[:2]) <= 256


def test_cancel_goes_through(mini: MiniModel, drawing: Drawing) -> None:
    def stop(step: StepProgress) -> None:
        if step.step == 2:
            raise CancelledError

    for finish, expected in ((Finish.PAINTED, True), (Finish.FLATS, False)):
        request = replace(REQUEST, finish=finish)
        known = mini.condition(drawing, request)
        if expected:
            with pytest.raises(CancelledError):
                mini.denoise(known, request, stop)
        else:
            assert mini.denoise(known, request, stop).field is None


def test_masks_are_guessed_at_any_size(mini: MiniModel, drawing: Drawing) -> None:
    guess = mini.segment_drawing(drawing.ink)
    assert guess.shape == drawing.ink.shape and guess.dtype == np.uint8
    assert mini.segment_reference(drawing.references[0].rgb[:130]).shape == (130, 256)


def test_another_family_can_take_the_segmenter(mini: MiniModel, drawing: Drawing, tmp_path: Path) -> None:
    masks = foreground_segmenter(tmp_path)
    np.testing.assert_array_equal(masks.segment_drawing(drawing.ink), mini.segment_drawing(drawing.ink))
    rgb = drawing.references[0].rgb
    np.testing.assert_array_equal(masks.segment_reference(rgb), mini.segment_reference(rgb))


def test_condition_is_cached_by_content(drawing: Drawing) -> None:
    class Counting(Mini):
        calls = 0

        def condition(self, drawing: Drawing, request: ColorizeRequest) -> MiniCondition:
            self.calls += 1
            return super().condition(drawing, request)

    from backend.networks.mini.field_denoiser import FieldDenoiser
    from backend.networks.mini.flats import Flats
    from backend.networks.mini.foreground import ForegroundUNet

    counting = Counting(Flats(), FieldDenoiser(), ForegroundUNet())
    family = CachingModel(counting, size=2)
    family.condition(drawing, REQUEST)
    family.condition(replace(drawing, ink=drawing.ink.copy()), replace(REQUEST, seed=9, steps=7, guidance=3.0))
    assert counting.calls == 1
    changed = drawing.references[0].rgb.copy()
    changed[0, 0] ^= 1
    family.condition(replace(drawing, references=(replace(drawing.references[0], rgb=changed),)), REQUEST)
    assert counting.calls == 2
    family.condition(drawing, replace(REQUEST, finish=Finish.FLATS))
    assert counting.calls == 3
    family.condition(drawing, REQUEST)
    assert counting.calls == 4  # size 2: the first was forgotten


def test_one_region_and_a_drawing_that_is_all_foreground(mini: MiniModel, drawing: Drawing) -> None:
    ink = np.zeros((90, 64), np.uint8)
    mask = np.full((90, 64), 255, np.uint8)
    bare = replace(drawing, ink=ink, mask=mask, regions=merge_and_split(segment(ink, 0.02), mask, 160))
    colors = _run(mini, bare, REQUEST)[0]
    assert colors.flats.shape == (1, 3) and colors.field is not None and np.isfinite(colors.field).all()


def test_registry_lists_and_loads(tmp_path: Path) -> None:
    assert set(shipped_specs()) == {"mini"}
    (row,) = models(tmp_path)
    assert row.name == "mini" and row.ready and row.finishes == ["flats", "painted"] and row.license
    assert load("mini", tmp_path).spec.name == "mini"
