"""ColorizeDiffusion as a family, on the tiny golden checkpoints: what it computes when."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from backend.contract.drawing import CancelledError, StepProgress
from backend.families.colorizediffusion import family as family_module
from backend.families.colorizediffusion import v15
from backend.families.colorizediffusion.checkpoint.loader import load_parts
from backend.families.colorizediffusion.family import REFERENCES_LEFT_OUT, ColorizeDiffusion
from backend.families.colorizediffusion.preprocessing import SIDES
from backend.families.runtime.canvas_frame import frame_canvas
from backend.families.runtime.memory_plan import MemoryPlan
from backend.imaging.types import Rgb
from backend.networks.clip import patch_tokens
from backend.pipeline.prepare import prepare
from backend.pipeline.run import colorize
from shared.protocol import Finish, ReferenceRole
from tests.parity.golden import golden
from tests.parity.loaded import parts
from tests.parity.painting import SPECS, Discs, given, lines, reference_image, run, same

MODES = [(version, mode.name) for version, spec in SPECS.items() for mode in spec.modes]


@pytest.fixture(params=SPECS)
def family(request: pytest.FixtureRequest) -> ColorizeDiffusion:
    return ColorizeDiffusion(parts(request.param), Discs(), None)


@pytest.fixture
def v15_family() -> ColorizeDiffusion:
    return ColorizeDiffusion(parts("v1.5"), Discs(), None)


@pytest.mark.parametrize(("version", "mode"), MODES)
def test_every_mode_colors_and_differs_from_the_whole_image(version: str, mode: str) -> None:
    family = ColorizeDiffusion(parts(version), Discs(), None)
    found = run(family, given(family.spec, mode))
    assert found.layers.composite.shape == (160, 240, 4)
    assert (found.layers.composite[..., 3] == 255).all()
    whole = run(family, given(family.spec, "vanilla"))
    # v2's foreground mode is the plain one until its strengths differ.
    assert same(found, whole) == (mode == "vanilla" or (version, mode) == ("v2", "foreground"))


def test_a_seed_gives_one_result_and_another_seed_another(family: ColorizeDiffusion) -> None:
    first, again, other = (run(family, given(family.spec, seed=seed)) for seed in (4, 4, 5))
    assert same(first, again) and not same(first, other)


def test_flats_are_one_color_a_region(family: ColorizeDiffusion) -> None:
    found = run(family, given(family.spec, finish=Finish.FLATS))
    inside = found.layers.foreground[60:100, 100:140, :3].reshape(-1, 3)
    assert len(np.unique(inside, axis=0)) == 1


def test_in_bfloat16_the_image_is_nearly_the_same(v15_family: ColorizeDiffusion) -> None:
    """As the product paints on a CPU; 16-bit blocks and float32 ends are cast where they meet."""
    narrow = load_parts(golden("v1.5").sd, dtype=torch.bfloat16)
    inputs = given(v15.SPEC, "both", injection=True, sketch_guidance=2.0, guidance=1.5)
    found, wanted = run(ColorizeDiffusion(narrow, Discs(), None), inputs), run(v15_family, inputs)
    difference = np.abs(found.layers.composite.astype(float) - wanted.layers.composite)
    assert 0 < difference.mean() < 4


def test_a_background_reference_colors_the_background(v15_family: ColorizeDiffusion) -> None:
    one, two, three = (run(v15_family, given(v15.SPEC, "background", references=r)) for r in ((1,), (1, 2), (1, 3)))
    assert not same(one, two) and not same(two, three)


class Calls:
    """Counts the calls of each encoder."""

    def __init__(self, networks: dict[str, nn.Module]) -> None:
        self.counts = dict.fromkeys(networks, 0)
        self._handles = [network.register_forward_hook(self._counter(name)) for name, network in networks.items()]

    def _counter(self, name: str) -> Any:
        def count(module: nn.Module, given: Any, result: Any) -> None:
            self.counts[name] += 1

        return count

    def new(self) -> dict[str, int]:
        """Calls since the last question."""
        found, self.counts = {name: n for name, n in self.counts.items() if n}, dict.fromkeys(self.counts, 0)
        return found

    def remove(self) -> None:
        for handle in self._handles:
            handle.remove()


@pytest.fixture
def calls(v15_family: ColorizeDiffusion) -> Iterator[Calls]:
    one = parts("v1.5")
    networks: dict[str, Any] = {"sketch": one.sketch_encoder, "image": one.image_encoder, "vae": one.vae.encoder}
    counted = Calls(networks)
    yield counted
    counted.remove()


def test_what_is_cached_of_an_image_is_not_computed_again(v15_family: ColorizeDiffusion, calls: Calls) -> None:
    run(v15_family, given(v15.SPEC, "background"))
    assert calls.new() == {"sketch": 2, "image": 2, "vae": 1}  # lines and none; whole and bleached; to learn how latents look
    run(v15_family, given(v15.SPEC, "background", seed=7, guidance=5.0))
    assert calls.new() == {}
    run(v15_family, given(v15.SPEC, "background", drawing=lines(50)))
    assert calls.new() == {"sketch": 1}
    run(v15_family, given(v15.SPEC, "vanilla", references=(3,)))
    assert calls.new() == {"image": 1, "vae": 1}


@pytest.mark.parametrize(("sketch_guidance", "rows"), [(1.0, 2), (2.0, 3)])
def test_memory_is_planned_for_guidance_that_may_come_later(
    v15_family: ColorizeDiffusion, monkeypatch: pytest.MonkeyPatch, sketch_guidance: float, rows: int
) -> None:
    """Guidance is no part of the key by which a condition is cached."""
    asked: list[int] = []

    def planned(parts: Any, device: Any, side: int, count: int) -> MemoryPlan:
        asked.append(count)
        return MemoryPlan(offload=False, tiling=False, side=side)

    monkeypatch.setattr(family_module, "plan_offload", planned)
    inputs = given(v15.SPEC, guidance=1.0, sketch_guidance=sketch_guidance)
    v15_family.condition(prepare(inputs, v15_family), inputs.request)
    assert asked == [rows]


def test_the_foreground_is_where_the_mask_is(v15_family: ColorizeDiffusion) -> None:
    inputs = given(v15.SPEC, "both")
    split = v15_family.condition(prepare(inputs, v15_family), inputs.request).conditioning.cross_attention.split
    assert split is not None
    foreground = split.mask[0, 0] > 0.5
    height, width = foreground.shape
    assert foreground[height // 2, width // 2] and not foreground[:3].any() and not foreground[:, :3].any()


def test_it_stops_at_the_next_step(v15_family: ColorizeDiffusion) -> None:
    steps: list[int] = []

    def stop(step: StepProgress) -> None:
        steps.append(step.step)
        if step.step == 2:
            raise CancelledError

    with pytest.raises(CancelledError):
        colorize(given(v15.SPEC, steps=9), v15_family, stop)
    assert max(steps) == 2


def test_steps_show_a_preview_of_the_canvas_s_shape(v15_family: ColorizeDiffusion) -> None:
    shown: list[Rgb] = []
    colorize(given(v15.SPEC), v15_family, lambda step: shown.append(step.preview) if step.preview is not None else None)
    assert len(shown) == 2
    assert max(shown[0].shape) == 256 and abs(shown[0].shape[1] / shown[0].shape[0] - 1.5) < 0.1


@pytest.mark.parametrize(("width", "height"), [(512, 512), (3000, 1000), (100, 8192), (1920, 1080), (64, 64)])
def test_the_model_s_image_fits_the_canvas(width: int, height: int) -> None:
    place = frame_canvas(width, height, 512, SIDES)
    sides = place.image_width, place.image_height
    assert all(side % 64 == 0 and 256 <= side <= 1536 for side in sides)
    assert place.left + place.width <= sides[0] and place.top + place.height <= sides[1]
    assert abs(place.width / place.height / (width / height) - 1) < 0.02 or min(place.width, place.height) < 50


def test_references_come_at_their_own_size(v15_family: ColorizeDiffusion) -> None:
    inputs = given(v15.SPEC, "background")
    wide = reference_image(5, 300, 900)
    drawing = prepare(replace(inputs, references=(wide,)), v15_family)
    assert np.array_equal(drawing.references[0].rgb, wide[..., :3])
    assert drawing.references[0].mask.shape == (300, 900)
    known = v15_family.condition(drawing, replace(inputs.request, mode="vanilla"))
    native = torch.from_numpy(wide[..., :3].transpose(2, 0, 1).astype(np.float32))[None] / 127.5 - 1
    with torch.inference_mode():
        assert torch.allclose(
            known.conditioning.cross_attention.context, patch_tokens(parts("v1.5").image_encoder(native)), atol=1e-6
        )


def test_references_that_are_not_looked_at_are_named(v15_family: ColorizeDiffusion) -> None:
    inputs = given(v15.SPEC, "background", references=(1, 2))
    assert not run(v15_family, inputs).warnings
    roles = (*inputs.request.references, ReferenceRole.FOREGROUND)
    more = replace(
        inputs, request=replace(inputs.request, references=roles), references=(*inputs.references, reference_image(9))
    )
    assert run(v15_family, more).warnings == (REFERENCES_LEFT_OUT,)
