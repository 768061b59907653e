"""AnimeDiffusion as a family, on the tiny golden checkpoint, through the whole pipeline."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from backend.contract.drawing import CancelledError, Inputs, StepProgress
from backend.families.animediffusion import key_mapping
from backend.families.animediffusion.family import ONE_REFERENCE_WARNING, AnimeDiffusion, crop_to_cover
from backend.families.animediffusion.loader import load_unet
from backend.families.animediffusion.spec import SIDE_MULTIPLE, SPEC
from backend.families.registry import load, models
from backend.imaging.types import Rgb
from backend.pipeline.run import RunResult, colorize
from shared.errors import ErrorCode, LinewashError
from shared.protocol import Finish, ReferenceRole
from tests.parity.files import copy_of
from tests.parity.golden import ANIME, FILES, golden, write_checkpoint
from tests.parity.painting import Discs, given, reference_image, run, same


@pytest.fixture(scope="module")
def family() -> Iterator[AnimeDiffusion]:
    with torch.no_grad():
        yield AnimeDiffusion(load_unet(golden(ANIME).sd), Discs())


def asked(**settings: Any) -> Inputs:
    return given(SPEC, **{"size": 64, "sampler": "ddim", **settings})


def painted(family: AnimeDiffusion, **settings: Any) -> RunResult:
    return run(family, asked(**settings))


def test_a_drawing_is_colored_at_canvas_size(family: AnimeDiffusion) -> None:
    found = painted(family)
    assert found.layers.composite.shape == (160, 240, 4)
    assert (found.layers.composite[..., 3] == 255).all()
    assert 0 < (found.layers.foreground[..., 3] == 255).mean() < 1
    assert len(np.unique(found.layers.composite.reshape(-1, 4), axis=0)) > 100


CHANGES: dict[str, Any] = {
    "size": 96, "bend": False, "steps": 3, "guidance": 1.0, "eta": 0.0, "seed": 5, "references": (2,)
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_set_changes_the_image(name: str, family: AnimeDiffusion) -> None:
    assert same(painted(family), painted(family))
    assert not same(painted(family), painted(family, **{name: CHANGES[name]}))


def test_all_parameters_are_tried_here() -> None:
    tried = {*CHANGES, "sampler", "gap", "merging"} - {"seed", "references"}
    assert {each.name for each in SPEC.parameters} == tried


def test_flats_are_one_color_a_region(family: AnimeDiffusion) -> None:
    found = painted(family, finish=Finish.FLATS)
    assert len(np.unique(found.layers.foreground[60:100, 100:140, :3].reshape(-1, 3), axis=0)) == 1


def test_previews_come_and_it_stops_within_a_step(family: AnimeDiffusion) -> None:
    previews: list[tuple[int, Rgb]] = []

    def stop(step: StepProgress) -> None:
        if step.preview is not None:
            previews.append((step.step, step.preview))
        if step.step == 2:
            raise CancelledError

    with pytest.raises(CancelledError):
        colorize(asked(steps=9), family, stop)
    assert [number for number, _ in previews] == [1, 2]
    shape = previews[0][1].shape
    assert max(shape) == 256 and abs(shape[1] / shape[0] - 1.5) < 0.1


def test_every_step_may_be_taken(family: AnimeDiffusion) -> None:
    steps: list[int] = []

    def stop(step: StepProgress) -> None:
        steps.append(step.steps)
        if step.step == 3:
            raise CancelledError

    with pytest.raises(CancelledError):
        colorize(asked(sampler="ancestral"), family, stop)
    assert steps[-1] == 1000


@pytest.mark.parametrize("size", [64, 72, 200])
def test_sides_are_multiples_of_eight(size: int, family: AnimeDiffusion) -> None:
    sides: list[tuple[int, ...]] = []
    handle = family._unet.register_forward_pre_hook(lambda _, x: sides.append(tuple(x[0].shape[-2:])))
    painted(family, size=size, steps=1)
    handle.remove()
    assert sides and all(side % SIDE_MULTIPLE == 0 for shape in sides for side in shape)


def test_a_reference_of_any_shape_covers_the_image() -> None:
    for height, width in ((90, 120), (500, 40), (3, 3)):
        assert crop_to_cover(reference_image(1, height, width)[..., :3], 104, 64).shape == (64, 104, 3)


def test_a_dropped_checkpoint_needs_no_clip(tmp_path: Any) -> None:
    write_checkpoint(ANIME, tmp_path)
    name = FILES[ANIME].split(".")[0]
    row = next(row for row in models(tmp_path) if row.name == name)
    assert row.ready and row.family == SPEC.name and row.parameters == SPEC.parameters and row.modes == ()
    result = colorize(asked(), load(name, tmp_path), lambda step: None)
    assert result.layers.composite.shape == (160, 240, 4)


def test_a_dropped_checkpoint_needs_no_schedule(tmp_path: Any) -> None:
    path = copy_of(ANIME, tmp_path, lambda tensors: [tensors.pop(name) for name in key_mapping.SCHEDULE_BUFFERS])
    row = next(row for row in models(tmp_path) if row.name == path.stem)
    assert row.ready and row.family == SPEC.name


def network_inputs(family: AnimeDiffusion, **settings: Any) -> list[tuple[torch.Tensor, ...]]:
    """Noisy image, lines and references of every call of the network."""
    calls: list[tuple[torch.Tensor, ...]] = []
    handle = family._unet.register_forward_pre_hook(lambda _, given: calls.append(given[:3]))
    painted(family, **settings)
    handle.remove()
    return calls


def test_the_network_is_shown_paper_white_and_lines_black(family: AnimeDiffusion) -> None:
    lines = network_inputs(family)[0][1]
    assert lines.max() == 1 and lines.min() < -0.5 and (lines == 1).float().mean() > 0.7
    assert (
        lines.shape[-2:] == (64, 80) and (lines[..., 0, :] == 1).all() and (lines[..., -1, :] == 1).all()
    )  # beside the canvas


def test_references_are_warped_at_their_own_size_and_by_the_seed(
    family: AnimeDiffusion, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[tuple[tuple[int, ...], Any]] = []

    def noted(rgb: Rgb, warp: Any) -> Rgb:
        shown.append((rgb.shape, warp))
        return rgb

    monkeypatch.setattr("backend.families.animediffusion.family.warp_published", noted)
    for seed in (1, 2, 1):
        painted(family, seed=seed)
    sizes, warps = zip(*shown, strict=True)
    assert set(sizes) == {(90, 120, 3)} and warps[0] == warps[2] != warps[1]


def test_the_network_runs_without_reference_only_with_guidance(family: AnimeDiffusion) -> None:
    (first, *_) = network_inputs(family, guidance=2.0)
    assert len(first[2]) == 2 and (first[2][1] == 0).all() and torch.equal(first[0][0], first[0][1])
    assert all(len(each[2]) == 1 for each in network_inputs(family, guidance=1.0))


def test_one_reference_is_looked_at_and_the_result_says_so(family: AnimeDiffusion) -> None:
    assert painted(family).warnings == ()
    assert ONE_REFERENCE_WARNING in painted(family, references=(1, 2)).warnings
    roles = (ReferenceRole.BACKGROUND, ReferenceRole.FOREGROUND)
    several = asked(references=(1, 2))
    turned = replace(several, request=replace(several.request, references=roles))
    alone = asked(references=(2,))
    assert not same(run(family, turned), run(family, several))
    assert same(run(family, turned), run(family, alone))


def test_too_little_memory_is_reported_before_the_first_step(family: AnimeDiffusion, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.families.animediffusion.family.free_memory", lambda device: 20_000_000)
    steps: list[StepProgress] = []
    with pytest.raises(LinewashError) as caught:
        colorize(asked(size=256, guidance=1.0), family, steps.append)
    assert caught.value.code is ErrorCode.OUT_OF_MEMORY and not any(step.step for step in steps)
    painted(family, size=64, guidance=1.0)
    with pytest.raises(LinewashError):
        painted(family, size=64, guidance=3.0)  # two rows
    monkeypatch.setattr("backend.families.animediffusion.family.free_memory", lambda device: None)
    painted(family, size=96, guidance=1.0)


def test_nonsense_is_refused(family: AnimeDiffusion) -> None:
    for wrong in ({"size": 8}, {"size": 2048}, {"eta": 2.0}, {"mode": "both"}, {"unheard_of": 1}):
        with pytest.raises(LinewashError) as caught:
            painted(family, **wrong)
        assert caught.value.code is ErrorCode.BAD_SETTING
