"""ColorizeDiffusion as a family, on the tiny golden checkpoints: what it computes when, and what every parameter does."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from backend.families import v1, v15
from backend.families.base import FamilySpec
from backend.families.colorizediffusion.family import ColorizeDiffusion
from backend.families.colorizediffusion.loading import load_parts
from backend.families.colorizediffusion.pictures import frame
from backend.imaging.types import Gray, Rgb
from backend.pipeline.run import RunResult, colorize
from backend.pipeline.types import Cancelled, Inputs, Step
from shared.errors import ErrorCode, LinewashError
from shared.protocol import ColorizeRequest, Finish, ForegroundSource, ReferenceRole
from tests.parity.golden import golden
from tests.parity.loaded import parts

SPECS = {"v1": v1.SPEC, "v1.5": v15.SPEC}
MODES = [(version, mode.name) for version, spec in SPECS.items() for mode in spec.modes]


class Discs:
    """Finds a disc in the middle."""

    def guess_drawing_mask(self, ink: Gray) -> Gray:
        return _disc(*ink.shape)

    def guess_reference_mask(self, rgb: Rgb) -> Gray:
        return _disc(*rgb.shape[:2])


def _disc(height: int, width: int) -> Gray:
    mask = np.zeros((height, width), np.uint8)
    cv2.circle(mask, (width // 2, height // 2), min(height, width) // 3, 255, -1)
    return mask


def picture(seed: int, height: int = 90, width: int = 120) -> np.ndarray:
    """Blots of colour, opaque."""
    noise = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
    rgb = cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.dstack([rgb, np.full((height, width), 255, np.uint8)])


def lines(radius: int = 60) -> np.ndarray:
    drawn = np.zeros((160, 240, 4), np.uint8)
    cv2.circle(drawn, (120, 80), radius, (0, 0, 0, 255), 3, cv2.LINE_AA)
    return drawn


def given(
    spec: FamilySpec, mode: str = "", drawing: np.ndarray | None = None, references: tuple[int, ...] = (1,), **settings: Any
) -> Inputs:
    roles = (ReferenceRole.BOTH, ReferenceRole.BACKGROUND)[: len(references)]
    fields = {name: settings.pop(name) for name in ("seed", "guidance", "finish", "steps") if name in settings}
    request = ColorizeRequest(
        240,
        160,
        roles,
        ForegroundSource.AUTOMATIC,
        spec.name,
        mode=mode,
        parameters={"size": 256, "sampler": "ddim", **settings},
    )
    request = replace(request, **{"steps": 2, "guidance": 3.0, **fields})
    return Inputs(request, lines() if drawing is None else drawing, tuple(map(picture, references)), None)


@pytest.fixture(params=SPECS)
def family(request: pytest.FixtureRequest) -> ColorizeDiffusion:
    return ColorizeDiffusion(SPECS[request.param], parts(request.param), Discs(), None)


@pytest.fixture
def v15_family() -> ColorizeDiffusion:
    return ColorizeDiffusion(v15.SPEC, parts("v1.5"), Discs(), None)


def run(family: ColorizeDiffusion, inputs: Inputs) -> RunResult:
    return colorize(inputs, family, lambda step: None)


def same(one: RunResult, other: RunResult) -> bool:
    return np.array_equal(one.layers.composite, other.layers.composite)


@pytest.mark.parametrize(("version", "mode"), MODES)
def test_every_mode_colours_and_differs_from_the_whole_picture(version: str, mode: str) -> None:
    family = ColorizeDiffusion(SPECS[version], parts(version), Discs(), None)
    found = run(family, given(family.spec, mode))
    assert found.layers.composite.shape == (160, 240, 4)
    assert (found.layers.composite[..., 3] == 255).all()
    whole = run(family, given(family.spec, "vanilla"))
    assert same(found, whole) == (mode == "vanilla")


def test_a_seed_gives_one_picture_and_another_seed_another(family: ColorizeDiffusion) -> None:
    first, again, other = (run(family, given(family.spec, seed=seed)) for seed in (4, 4, 5))
    assert same(first, again) and not same(first, other)


def test_flats_are_one_colour_a_region(family: ColorizeDiffusion) -> None:
    found = run(family, given(family.spec, finish=Finish.FLATS))
    inside = found.layers.foreground[60:100, 100:140, :3].reshape(-1, 3)
    assert len(np.unique(inside, axis=0)) == 1


CHANGES = {
    "reference_strength": 0.3,
    "sketch_strength": 0.2,
    "foreground_strength": 0.2,
    "background_strength": 0.2,
    "mixing": 0.7,
    "semantics_strength": 0.1,
    "colour_strength": 0.1,
    "encoder_strength": 0.1,
    "layer_strengths": " ".join(["0.5"] * 16),
    "reference_threshold": 0.0,
    "sketch_threshold": 1.0,
    "size": 320,
    "sampler": "k_euler",
    "sketch_guidance": 2.0,
    "guidance_start": 0.5,
    "guidance_end": 0.3,
    "reference_padding": 1.5,
    "injection": True,
}
"""A value of each parameter that must change the picture by itself."""
NEED_MORE = {
    "clear_background": {},
    "schedule": {"sampler": "k_euler", "steps": 3},
    "pause_end": {"pause_start": 0.0},
    "injection_sketch": {"injection": True},
    "injection_reference": {"injection": True},
    "injection_start": {"injection": True},
}
"""Parameters that only mean something with others, and those."""
MORE = {
    "clear_background": True,
    "schedule": "karras",
    "pause_end": 0.6,
    "injection_sketch": 1.0,
    "injection_reference": 0.0,
    "injection_start": 0.7,
}
WORDS = {name for name in (each.name for each in v15.SPEC.parameters) if name.startswith("edit_")}


def test_all_parameters_are_tried_here() -> None:
    tried = {*CHANGES, *NEED_MORE, "pause_start", *WORDS}
    assert {each.name for each in v15.SPEC.parameters} == tried == {each.name for each in v1.SPEC.parameters}


@pytest.mark.parametrize("name", CHANGES)
def test_a_parameter_changes_the_picture(v15_family: ColorizeDiffusion, name: str) -> None:
    plain = run(v15_family, given(v15.SPEC, "background"))
    assert not same(plain, run(v15_family, given(v15.SPEC, "background", **{name: CHANGES[name]})))


@pytest.mark.parametrize("name", NEED_MORE)
def test_a_parameter_changes_the_picture_together_with_others(v15_family: ColorizeDiffusion, name: str) -> None:
    others = {"references": (1, 2), **NEED_MORE[name]}
    plain = run(v15_family, given(v15.SPEC, "background", **others))
    assert not same(plain, run(v15_family, given(v15.SPEC, "background", **others, **{name: MORE[name]})))


def test_in_bfloat16_the_picture_is_nearly_the_same(v15_family: ColorizeDiffusion) -> None:
    """As the product paints on a CPU; 16-bit blocks and float32 ends are cast where they meet."""
    narrow = load_parts(golden("v1.5").sd, dtype=torch.bfloat16)
    inputs = given(v15.SPEC, "both", injection=True, sketch_guidance=2.0, guidance=1.5)
    found, wanted = run(ColorizeDiffusion(v15.SPEC, narrow, Discs(), None), inputs), run(v15_family, inputs)
    difference = np.abs(found.layers.composite.astype(float) - wanted.layers.composite)
    assert 0 < difference.mean() < 4


def test_a_background_reference_colours_the_ground(v15_family: ColorizeDiffusion) -> None:
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
    assert one.token_transformer is not None
    networks: dict[str, Any] = {"sketch": one.sketch_encoder, "image": one.vision, "vae": one.vae.encoder}
    counted = Calls(networks)
    yield counted
    counted.remove()


def test_what_is_known_of_a_picture_is_not_computed_again(v15_family: ColorizeDiffusion, calls: Calls) -> None:
    run(v15_family, given(v15.SPEC, "background"))
    assert calls.new() == {"sketch": 2, "image": 2, "vae": 1}  # lines and none; whole and bleached; to learn how latents look
    run(v15_family, given(v15.SPEC, "background", seed=7, guidance=5.0))
    assert calls.new() == {}
    run(v15_family, given(v15.SPEC, "background", drawing=lines(50)))
    assert calls.new() == {"sketch": 1}
    run(v15_family, given(v15.SPEC, "vanilla", references=(3,)))
    assert calls.new() == {"image": 1, "vae": 1}


def test_it_stops_at_the_next_step(v15_family: ColorizeDiffusion) -> None:
    seen: list[int] = []

    def stop(step: Step) -> None:
        seen.append(step.step)
        if step.step == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        colorize(given(v15.SPEC, steps=9), v15_family, stop)
    assert max(seen) == 2


def test_steps_show_a_preview_of_the_canvas_s_shape(v15_family: ColorizeDiffusion) -> None:
    shown: list[Rgb] = []
    colorize(given(v15.SPEC), v15_family, lambda step: shown.append(step.preview) if step.preview is not None else None)
    assert len(shown) == 2
    assert max(shown[0].shape) == 256 and abs(shown[0].shape[1] / shown[0].shape[0] - 1.5) < 0.1


@pytest.mark.parametrize("changed", [{"edit_scale": 2.0, "edit_target": "red hair"}])
def test_without_the_text_tower_words_are_refused(v15_family: ColorizeDiffusion, changed: dict[str, Any]) -> None:
    with pytest.raises(LinewashError) as caught:
        run(v15_family, given(v15.SPEC, **changed))
    assert caught.value.code is ErrorCode.NO_WORDS


def _features(texts: list[str]) -> torch.Tensor:
    drawn = [torch.randn(64, generator=torch.Generator().manual_seed(sum(map(ord, text)))) for text in texts]
    return torch.nn.functional.normalize(torch.stack(drawn), dim=-1)[:, None]


def test_words_change_the_reference() -> None:
    family = ColorizeDiffusion(v15.SPEC, parts("v1.5"), Discs(), _features)
    words = {"edit_scale": 6.0, "edit_target": "red hair"}
    variants = [
        {},
        words,
        {**words, "edit_anchor": "blonde hair"},
        {**words, "edit_anchor": "blonde hair", "edit_enhanced": True},
        {**words, "edit_control": "the sky"},
        {**words, "edit_thresholds": "0.1 0.2 0.3 0.4"},
    ]
    found = [run(family, given(v15.SPEC, **changed)).layers.composite.tobytes() for changed in variants]
    assert len(set(found)) == len(variants)


@pytest.mark.parametrize(
    "changed",
    [
        {"edit_scale": 1.0},
        {"edit_scale": 1.0, "edit_target": "x", "edit_thresholds": "1 2"},
        {"edit_scale": 1.0, "edit_target": "x", "edit_thresholds": "0.9 0.5 0.6 0.7"},
        {"layer_strengths": "1 2 3"},
        {"layer_strengths": "many"},
        {"sampler": "none"},
        {"size": 9999},
        {"unheard_of": 1},
    ],
)
def test_nonsense_is_refused(changed: dict[str, Any]) -> None:
    family = ColorizeDiffusion(v15.SPEC, parts("v1.5"), Discs(), _features)
    with pytest.raises(LinewashError) as caught:
        run(family, given(v15.SPEC, **changed))
    assert caught.value.code is ErrorCode.BAD_REQUEST


@pytest.mark.parametrize(("width", "height"), [(512, 512), (3000, 1000), (100, 8192), (1920, 1080), (64, 64)])
def test_the_model_s_picture_fits_the_canvas(width: int, height: int) -> None:
    place = frame(width, height, 512)
    sides = place.picture_width, place.picture_height
    assert all(side % 64 == 0 and 256 <= side <= 1536 for side in sides)
    assert place.left + place.width <= sides[0] and place.top + place.height <= sides[1]
    assert abs(place.width / place.height / (width / height) - 1) < 0.02 or min(place.width, place.height) < 50
