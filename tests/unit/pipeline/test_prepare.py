"""What prepare refuses, and what it hands on."""

from dataclasses import replace

import numpy as np
import pytest

from backend.contract.drawing import PreviousResult
from backend.imaging.bleaching import bleach
from backend.pipeline.prepare import MAX_REGIONS, NO_FOREGROUND, prepare, working_size
from backend.pipeline.reference_bleaching import bleach_reference
from shared.errors import ErrorCode, LinewashError
from shared.line_preparation import LinePreparation
from shared.protocol import ForegroundSource


def _code(inputs, family) -> ErrorCode:
    with pytest.raises(LinewashError) as caught:
        prepare(inputs, family)
    return caught.value.code


def test_refusals(inputs, family) -> None:
    blank = np.full((300, 300, 4), 255, np.uint8)
    assert _code(inputs(lines=blank), family) is ErrorCode.EMPTY_LINES
    assert _code(inputs(lines=blank * 0), family) is ErrorCode.EMPTY_LINES
    assert _code(inputs(lines=blank[:200]), family) is ErrorCode.BAD_IMAGE
    assert _code(inputs(roles=2), family) is ErrorCode.BAD_IMAGE
    assert _code(inputs(references=(np.zeros((40, 40, 4), np.uint8),)), family) is ErrorCode.EMPTY_REFERENCE
    assert _code(inputs(foreground=np.zeros((300, 300), np.uint8)), family) is ErrorCode.EMPTY_MASK
    assert _code(inputs(foreground=np.full((300, 301), 255, np.uint8)), family) is ErrorCode.MASK_SIZE


@pytest.mark.parametrize(
    ("canvas", "working"),
    [
        ((300, 200), (300, 200)),
        ((4096, 4096), (1024, 1024)),
        ((4096, 2048), (1024, 512)),
        ((8192, 64), (8192, 64)),
        ((512, 8192), (256, 4096)),
        ((64, 64), (64, 64)),
    ],
)
def test_working_sizes(canvas: tuple[int, int], working: tuple[int, int]) -> None:
    assert working_size(*canvas) == working


def test_a_given_mask_is_kept_as_it_is(inputs, family) -> None:
    mask = np.tile(np.linspace(0, 255, 300).astype(np.uint8), (300, 1))
    drawing = prepare(inputs(foreground=mask), family)
    assert np.array_equal(drawing.mask, mask)
    assert not family.asked
    assert drawing.warnings == ()


@pytest.mark.parametrize("side", [64, 300, 1400])
def test_a_guessed_mask_ends_on_the_line(side: int, inputs, family) -> None:
    drawing = prepare(inputs(side, side), family)
    y, x = np.mgrid[0:side, 0:side] - side // 2
    radius, slack = round(0.35 * side), 2 + side / 200
    assert (drawing.mask[np.hypot(x, y) < radius - slack] == 255).all()
    assert not drawing.mask[np.hypot(x, y) > radius + slack].any()
    edge = (drawing.mask > 0) & (drawing.mask < 255)
    assert edge.any() and (drawing.ink[edge] > 30).mean() > (0.95 if side > 64 else 0.75)
    inside = drawing.regions.foreground[drawing.regions.labels]
    assert inside.any() and not inside.all()
    assert drawing.regions.labels.shape == working_size(side, side)[::-1] == family.asked[0]
    assert drawing.regions.count <= MAX_REGIONS


def test_no_foreground_found_is_a_warning(inputs, blind_family) -> None:
    drawing = prepare(inputs(), blind_family)
    assert drawing.warnings == (NO_FOREGROUND,)
    assert not drawing.mask.any() and not drawing.regions.foreground.any()


def test_a_mask_is_united_with_what_is_found(inputs, family, blind_family) -> None:
    corner = np.zeros((300, 300), np.uint8)
    corner[200:, 200:] = 255
    found, both = prepare(inputs(), family), ForegroundSource.MASK_AND_AUTOMATIC
    drawing = prepare(inputs(foreground=corner, source=both), family)
    assert np.array_equal(drawing.mask, np.maximum(found.mask, corner))
    assert drawing.mask[150, 150] == drawing.mask[290, 290] == 255 and not drawing.mask[5, 5]
    alone = prepare(inputs(foreground=corner, source=both), blind_family)
    assert np.array_equal(alone.mask, corner) and NO_FOREGROUND not in alone.warnings


def test_a_mask_is_united_with_the_foreground_from_before(inputs, family) -> None:
    """While a selection is colored anew nothing is found: what was foreground stays so."""
    corner, before = np.zeros((300, 300), np.uint8), np.zeros((300, 300, 4), np.uint8)
    corner[200:, 200:], before[50:100, 50:100, 3] = 255, 200
    again = {"previous": PreviousResult(before, before), "selection": np.full((300, 300), 255, np.uint8)}
    drawing = prepare(inputs(foreground=corner, source=ForegroundSource.MASK_AND_AUTOMATIC, **again), family)
    assert np.array_equal(drawing.mask, np.maximum(corner, before[..., 3])) and not family.asked
    assert np.array_equal(prepare(inputs(foreground=corner, **again), family).mask, corner)


def test_a_reference_is_bleached_with_the_mask_that_a_coloring_would_use(inputs, family) -> None:
    reference = np.full((400, 600, 4), 255, np.uint8)
    reference[:, :300, :3] = 40  # the darker half is its foreground
    reference[:, 300:, :3] = (90, 160, 220)
    seen = prepare(inputs(references=(reference,)), family).references[0]
    assert np.array_equal(bleach_reference(fit_rgba(seen.rgb), family, 0.5), bleach(seen.rgb, seen.mask))
    bleached = bleach_reference(reference, family, 0.5)
    assert bleached.shape == (400, 600, 3)
    assert (bleached[:, :295] == 255).all() and (bleached[:, 305:] == (90, 160, 220)).all()
    with pytest.raises(LinewashError):
        bleach_reference(reference * 0, family, 0.5)


def test_the_foreground_of_a_transparent_reference_is_what_is_painted(family) -> None:
    reference = np.zeros((100, 100, 4), np.uint8)
    reference[20:60, 20:60] = (200, 10, 10, 255)
    assert (bleach_reference(reference, family, 0.5) == 255).all() and not family.asked


def fit_rgba(rgb: np.ndarray) -> np.ndarray:
    return np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)])


def test_opaque_lines_need_no_warning(inputs, family) -> None:
    """Whoever asked puts the colors above such a drawing in multiply; there is nothing for the painter to do."""
    given = inputs()
    opaque = np.dstack([255 - given.lines[..., 3]] * 3 + [np.full((300, 300), 255, np.uint8)])
    drawing = prepare(inputs(lines=opaque), family)
    assert drawing.warnings == ()
    assert np.abs(drawing.ink.astype(int) - prepare(given, family).ink).max() <= 2


@pytest.mark.parametrize("preparation", [each for each in LinePreparation if each is not LinePreparation.WHITE_ON_BLACK])
def test_a_colored_image_is_cut_along_its_lines_and_a_plain_one_has_none(preparation, inputs, family) -> None:
    ring = inputs().lines[..., 3:].astype(np.float32) / 255
    paint = np.full((300, 300, 3), (235, 200, 160), np.uint8)
    image = np.dstack([(paint * (1 - ring)).astype(np.uint8), np.full((300, 300), 255, np.uint8)])
    drawing = prepare(inputs(lines=image, preparation=preparation), family)
    assert drawing.regions.count == prepare(inputs(), family).regions.count
    plain = np.full((300, 300, 4), (235, 200, 160, 255), np.uint8)
    assert _code(inputs(lines=plain, preparation=preparation), family) is ErrorCode.EMPTY_LINES


def test_white_on_black_is_read_when_the_request_says_so(inputs, family) -> None:
    given = inputs()
    negative = np.dstack([given.lines[..., 3]] * 3 + [np.full((300, 300), 255, np.uint8)])
    drawing = prepare(inputs(lines=negative, preparation=LinePreparation.WHITE_ON_BLACK), family)
    assert np.array_equal(drawing.ink, given.lines[..., 3])
    black = np.full((300, 300, 4), (0, 0, 0, 255), np.uint8)
    assert _code(inputs(lines=black, preparation=LinePreparation.WHITE_ON_BLACK), family) is ErrorCode.EMPTY_LINES


def test_references_are_white_below_and_at_most_512(inputs, family) -> None:
    clear = np.zeros((1000, 500, 4), np.uint8)
    clear[200:800, 100:400] = (20, 120, 40, 255)
    opaque = np.full((90, 100, 4), 255, np.uint8)
    opaque[:, :50, :3] = 20
    drawing = prepare(inputs(references=(clear, opaque)), family)
    first, second = drawing.references
    assert first.rgb.shape == (512, 256, 3) and first.mask.shape == (512, 256)
    assert (first.rgb[0, 0] == 255).all() and first.mask[0, 0] == 0
    assert (first.rgb[256, 128] == (20, 120, 40)).all() and first.mask[256, 128] == 255
    assert second.rgb.shape == (90, 100, 3)
    assert (second.mask[:, :50] == 255).all() and not second.mask[:, 50:].any()


def test_prepare_is_deterministic_and_leaves_its_inputs_alone(inputs, family) -> None:
    given = inputs(400, 260)
    copies = given.lines.copy(), given.references[0].copy()
    one, two = prepare(given, family), prepare(given, family)
    assert np.array_equal(one.regions.labels, two.regions.labels) and np.array_equal(one.mask, two.mask)
    assert np.array_equal(given.lines, copies[0]) and np.array_equal(given.references[0], copies[1])


def test_a_drawing_has_at_most_160_regions(inputs, family) -> None:
    lines = np.zeros((512, 512, 4), np.uint8)
    lines[::32, :, 3] = lines[:, ::32, 3] = 255  # 256 rooms
    mask = np.full((512, 512), 255, np.uint8)
    assert prepare(inputs(512, 512, lines=lines, foreground=mask), family).regions.count == 160


@pytest.mark.parametrize(("side", "working_side"), [(500, 500), (700, 512)])
def test_the_foreground_of_a_reference_is_guessed_at_512(side: int, working_side: int, inputs, family) -> None:
    family.spec = replace(family.spec, reference_side=1024)
    reference = np.full((side, side // 2, 4), 255, np.uint8)
    reference[: side // 2, :, :3] = 20
    drawing = prepare(inputs(references=(reference,)), family)
    assert family.shown_references == [(working_side, working_side // 2, 3)]
    assert drawing.references[0].mask.shape == (side, side // 2)
