"""v2 through the whole pipeline: what each switch changes, what is cached, and that nothing is left over from a run."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from backend.families.colorizediffusion import family as family_module
from backend.families.colorizediffusion import v2
from backend.families.colorizediffusion.checkpoint.config import NetworkConfig
from backend.families.colorizediffusion.checkpoint.loader import load_parts
from backend.families.colorizediffusion.family import ColorizeDiffusion
from backend.families.runtime.memory_plan import MemoryPlan
from backend.networks.colorizediffusion.reference.warp_modules import SkipWarp
from backend.pipeline.prepare import prepare
from backend.pipeline.run import RunResult
from tests.parity.golden import golden
from tests.parity.loaded import parts
from tests.parity.painting import Discs, given, lines, reference_image, run, same
from tests.parity.test_family import Calls

MODES = tuple(mode.name for mode in v2.SPEC.modes)


@pytest.fixture(scope="module")
def family() -> ColorizeDiffusion:
    return ColorizeDiffusion(parts("v2"), Discs(), None)


@pytest.fixture
def calls() -> Iterator[Calls]:
    one = parts("v2")
    networks: dict[str, Any] = {
        "sketch": one.sketch_encoder,
        "image": one.image_encoder,
        "vae": one.vae.encoder,
        "background": one.extras["background_encoder"],
        "style": one.extras["style_encoder"],
    }
    counted = Calls(networks)
    yield counted
    counted.remove()


def test_encoders_run_once_for_each_image(calls: Calls) -> None:
    family = ColorizeDiffusion(parts("v2"), Discs(), None)

    def colored(**settings: Any) -> dict[str, int]:
        run(family, given(v2.SPEC, "style-background", **settings))
        return calls.new()

    # Lines and none; both references; the latents of both, and one to learn how latents look.
    assert colored(references=(1, 2)) == {"sketch": 2, "image": 2, "vae": 3, "background": 1, "style": 1}
    assert colored(references=(1, 2), seed=9, guidance=5.0) == {}
    assert colored(references=(1, 2), drawing=lines(50)) == {"sketch": 1}
    assert colored(references=(1, 2), background_factor=0.5) == {}
    assert colored(references=(1, 3)) == {"image": 1, "vae": 1, "background": 1}
    assert colored(references=(1, 3), mixing=0.5) == {"style": 1}
    # The backgrounds of another size are other latents.
    assert colored(references=(1, 3), size=320) == {"sketch": 2, "vae": 2, "background": 1, "style": 1}


@pytest.fixture(scope="module")
def fresh() -> dict[str, RunResult]:
    """What a family that has just been loaded makes."""
    return {
        mode: run(ColorizeDiffusion(parts("v2"), Discs(), None), given(v2.SPEC, mode, references=(1, 2), steps=1))
        for mode in ("vanilla", "background")
    }


@pytest.mark.parametrize("before", MODES)
def test_a_run_leaves_nothing_behind(family: ColorizeDiffusion, fresh: dict[str, RunResult], before: str) -> None:
    """The published program goes on with the low-rank weights of the last masked run (spec 23, Q3)."""
    for mode, wanted in fresh.items():
        run(family, given(v2.SPEC, before, references=(1, 3), steps=1))
        assert same(run(family, given(v2.SPEC, mode, references=(1, 2), steps=1)), wanted)


def _warp(family: ColorizeDiffusion, mode: str, **settings: Any) -> SkipWarp:
    inputs = given(v2.SPEC, mode, **settings)
    warp = family.condition(prepare(inputs, family), inputs.request).conditioning.hooks.transform_skip
    assert isinstance(warp, SkipWarp)
    return warp


def _alike(one: SkipWarp, other: SkipWarp) -> bool:
    return all(map(torch.equal, one.features, other.features))


@pytest.mark.parametrize(
    ("mode", "references"), [("background", (1,)), ("style-background", (1,)), ("style-background", (1, 2))]
)
def test_the_encoder_s_context_is_a_switch(family: ColorizeDiffusion, mode: str, references: tuple[int, ...]) -> None:
    learned, program, paper = (
        _warp(family, mode, references=references, background_context=context)
        for context in ("learned", "reference", "background")
    )
    assert _alike(learned, program) and not _alike(program, paper)
    trained = ColorizeDiffusion(replace(parts("v2"), config=NetworkConfig(background_context="background")), Discs(), None)
    assert _alike(_warp(trained, mode, references=references), paper)


def test_with_a_background_reference_alone_both_contexts_are_its_own(family: ColorizeDiffusion) -> None:
    one, other = (_warp(family, "background", references=(1, 2), background_context=c) for c in ("reference", "background"))
    assert _alike(one, other)


def test_the_background_factor_scales_what_the_encoder_finds(family: ColorizeDiffusion) -> None:
    whole, half = (_warp(family, "background", background_factor=factor) for factor in (1.0, 0.5))
    assert all(torch.allclose(0.5 * a, b) for a, b in zip(whole.features, half.features, strict=True))


def test_copied_backgrounds_are_the_reference_itself(family: ColorizeDiffusion) -> None:
    """With random weights nothing painted is like the reference; what is copied is, but for the noise of the last step."""

    def latent(on: bool) -> Tensor:
        inputs = given(v2.SPEC, "background", references=(1, 2), steps=6, copy_background=on)
        return family.denoise(family.condition(prepare(inputs, family), inputs.request), inputs.request, lambda step: None)

    inputs = given(v2.SPEC, "background", references=(1, 2), copy_background=True)
    copied = family.condition(prepare(inputs, family), inputs.request).copied
    assert copied is not None
    behind = ~copied.painted.expand(-1, 4, -1, -1)
    off, plain = ((latent(on) - copied.latent).abs() for on in (True, False))
    assert off[behind].mean() < 0.1 * plain[behind].mean()
    assert off[~behind].mean() > 0.5 * plain[~behind].mean()


def test_a_copy_without_a_background_reference_says_so(family: ColorizeDiffusion) -> None:
    (sentence,) = run(family, given(v2.SPEC, "background", copy_background=True)).warnings
    assert sentence.startswith("Copy background needs a reference for the background")


def test_a_mode_that_uses_no_background_reference_says_so(family: ColorizeDiffusion) -> None:
    (sentence,) = run(family, given(v2.SPEC, "vanilla", references=(1, 2))).warnings
    assert sentence == "As it is set, the mode Plain does not use the reference for the background; other modes do."
    (sentence,) = run(family, given(v2.SPEC, "style", references=(1, 2))).warnings
    assert "the mode Style does not use" in sentence
    assert not run(family, given(v2.SPEC, "style", references=(1, 2), mixing=0.3)).warnings
    assert not run(family, given(v2.SPEC, "foreground", references=(1, 2), copy_background=True)).warnings


def test_what_is_encoded_does_not_depend_on_the_plan_of_the_drawing_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """The VAE encodes a large image in tiles where memory is short: for this drawing, not for the next one."""
    family = ColorizeDiffusion(parts("v2"), Discs(), None)
    tiled = [False]
    monkeypatch.setattr(family_module, "plan_offload", lambda parts, device, side, rows: MemoryPlan(False, tiled[0], side, ""))
    monkeypatch.setattr(family_module, "TILE_SIDE", 128)
    whole = _warp(family, "background")
    tiled[0] = True
    in_tiles = _warp(family, "background")
    assert not _alike(whole, in_tiles)
    run(family, given(v2.SPEC, "background"))
    tiled[0] = False
    assert _alike(whole, _warp(family, "background"))
    assert _alike(whole, _warp(ColorizeDiffusion(parts("v2"), Discs(), None), "background"))


def test_the_size_of_a_large_reference_is_told_as_it_came(family: ColorizeDiffusion) -> None:
    """The pipeline shrinks it to 2048 pixels; the encoder is told the size that it came with."""
    inputs = given(v2.SPEC, "style")
    large = replace(inputs, references=(reference_image(1, 2400, 3200),))
    drawing = prepare(large, family)
    assert max(drawing.references[0].rgb.shape) == 2048 and drawing.references[0].size == (2400, 3200)
    known = replace(drawing, references=(replace(drawing.references[0], size=(1536, 2048)),))
    one, other = (
        family.condition(each, inputs.request).conditioning.hooks.modulate.vectors  # type: ignore[attr-defined]
        for each in (drawing, known)
    )
    assert not all(map(torch.equal, one, other))


def test_in_bfloat16_the_image_is_nearly_the_same(family: ColorizeDiffusion) -> None:
    narrow = load_parts(golden("v2").sd, dtype=torch.bfloat16)
    inputs = given(v2.SPEC, "style-background", references=(1, 2), guidance=1.5)
    found, wanted = run(ColorizeDiffusion(narrow, Discs(), None), inputs), run(family, inputs)
    difference = np.abs(found.layers.composite.astype(float) - wanted.layers.composite)
    assert 0 < difference.mean() < 6
