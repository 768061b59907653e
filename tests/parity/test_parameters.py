"""Every parameter of ColorizeDiffusion does something, words among them, and nonsense is refused."""

from typing import Any

import pytest
import torch

from backend.families.colorizediffusion import v1, v15
from backend.families.colorizediffusion.family import ColorizeDiffusion
from shared.errors import ErrorCode, LinewashError
from tests.parity.loaded import parts
from tests.parity.painting import Discs, given, run, same


@pytest.fixture
def v15_family() -> ColorizeDiffusion:
    return ColorizeDiffusion(parts("v1.5"), Discs(), None)


CHANGES = {
    "reference_strength": 0.3,
    "sketch_strength": 0.2,
    "foreground_strength": 0.2,
    "background_strength": 0.2,
    "mixing": 0.7,
    "semantics_strength": 0.1,
    "color_strength": 0.1,
    "encoder_strength": 0.1,
    "layer_strengths": " ".join(["0.5"] * 16),
    "reference_threshold": 0.0,
    "sketch_threshold": 1.0,
    "size": 320,
    "sampler": "k_euler",
    "prediction": "v",
    "sketch_guidance": 2.0,
    "guidance_start": 0.5,
    "guidance_end": 0.3,
    "reference_padding": 1.5,
    "injection": True,
}
"""A value of each parameter that must change the image by itself."""
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
FIELDS = {"steps", "guidance", "gap", "merging"}
"""These are fields of every request."""
WORDS = {name for name in (each.name for each in v15.SPEC.parameters) if name.startswith("edit_")}


def test_all_parameters_are_tried_here() -> None:
    tried = {*CHANGES, *NEED_MORE, "pause_start", *WORDS, *FIELDS}
    assert {each.name for each in v15.SPEC.parameters} == tried == {each.name for each in v1.SPEC.parameters}


@pytest.mark.parametrize("name", CHANGES)
def test_a_parameter_changes_the_image(v15_family: ColorizeDiffusion, name: str) -> None:
    plain = run(v15_family, given(v15.SPEC, "background"))
    assert not same(plain, run(v15_family, given(v15.SPEC, "background", **{name: CHANGES[name]})))


@pytest.mark.parametrize("name", NEED_MORE)
def test_a_parameter_changes_the_image_together_with_others(v15_family: ColorizeDiffusion, name: str) -> None:
    others = {"references": (1, 2), **NEED_MORE[name]}
    plain = run(v15_family, given(v15.SPEC, "background", **others))
    assert not same(plain, run(v15_family, given(v15.SPEC, "background", **others, **{name: MORE[name]})))


def test_lines_of_no_strength_are_no_lines(v15_family: ColorizeDiffusion) -> None:
    """The strength is that of the blank sketch, too (spec 6): with none, there is nothing for line guidance to push towards."""
    one, other = (given(v15.SPEC, "vanilla", guidance=1.0, sketch_strength=0.0, sketch_guidance=by) for by in (1.0, 5.0))
    found, wanted = (run(v15_family, each).layers.composite.astype(int) for each in (other, one))
    assert abs(found - wanted).max() <= 2  # a batch of two rounds otherwise than one row


@pytest.mark.parametrize("changed", [{"edit_scale": 2.0, "edit_target": "red hair"}])
def test_without_the_text_tower_words_are_refused(v15_family: ColorizeDiffusion, changed: dict[str, Any]) -> None:
    with pytest.raises(LinewashError) as caught:
        run(v15_family, given(v15.SPEC, **changed))
    assert caught.value.code is ErrorCode.NO_WORDS


def _features(texts: list[str]) -> torch.Tensor:
    drawn = [torch.randn(64, generator=torch.Generator().manual_seed(sum(map(ord, text)))) for text in texts]
    return torch.nn.functional.normalize(torch.stack(drawn), dim=-1)[:, None]


def test_words_change_the_reference() -> None:
    family = ColorizeDiffusion(parts("v1.5"), Discs(), _features)
    words = {"edit_scale": 6.0, "edit_target": "red hair"}
    variants = [
        {},
        words,
        {**words, "edit_anchor": "blonde hair"},
        {**words, "edit_anchor": "blonde hair", "edit_enhanced": True},
        {**words, "edit_scale": 2.0},
        {**words, "edit_control": "the sky"},
        {**words, "edit_thresholds": "0.1 0.2 0.3 0.4"},
        {**words, "edit_target": "red hair; blue eyes"},
        {**words, "edit_target": "red hair; blue eyes", "edit_anchor": "blonde hair;"},
    ]
    found = [run(family, given(v15.SPEC, **changed)).layers.composite.tobytes() for changed in variants]
    assert len(set(found)) == len(variants)


@pytest.mark.parametrize(
    "changed",
    [
        {"edit_scale": 1.0},
        {"edit_scale": 1.0, "edit_target": "x;"},
        {"edit_scale": 1.0, "edit_target": "x; y; z", "edit_anchor": "a; b"},
        {"edit_scale": 1.0, "edit_target": "x", "edit_thresholds": "1 2"},
        {"edit_scale": 1.0, "edit_target": "x", "edit_thresholds": "0.9 0.5 0.6 0.7"},
        {"layer_strengths": "1 2 3"},
        {"layer_strengths": "many"},
    ],
)
def test_nonsense_that_was_typed_is_named_so(changed: dict[str, Any]) -> None:
    family = ColorizeDiffusion(parts("v1.5"), Discs(), _features)
    with pytest.raises(LinewashError) as caught:
        run(family, given(v15.SPEC, **changed))
    assert caught.value.code is ErrorCode.BAD_SETTING


@pytest.mark.parametrize("changed", [{"sampler": "none"}, {"size": 9999}, {"unheard_of": 1}])
def test_nonsense_is_refused(changed: dict[str, Any]) -> None:
    family = ColorizeDiffusion(parts("v1.5"), Discs(), _features)
    with pytest.raises(LinewashError) as caught:
        run(family, given(v15.SPEC, **changed))
    assert caught.value.code is ErrorCode.BAD_SETTING
