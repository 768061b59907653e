"""AnimeDiffusion's options: their defaults are the published ones, and every range ends where it says."""

from typing import Any

import pytest

from backend.families.animediffusion.options import AnimeOptions, parse_options
from backend.families.animediffusion.sampling import PUBLISHED_ETA, PUBLISHED_STEPS, alphas_cumprod, ddim_timesteps
from backend.families.animediffusion.spec import ANCESTRAL, DDIM, SPEC
from shared.errors import ErrorCode, LinewashError
from shared.model_spec import ParameterValues
from shared.protocol import ColorizeRequest, ReferenceRole


def _request(**values: Any) -> ColorizeRequest:
    return ColorizeRequest(256, 256, (ReferenceRole.BOTH,), model="animediffusion", parameters=ParameterValues(values))


def test_the_defaults_are_the_published_ones() -> None:
    assert parse_options(_request()) == AnimeOptions(size=256, warp_reference=True, eta=PUBLISHED_ETA, sampler=DDIM)
    defaults = {parameter.name: parameter.default for parameter in SPEC.parameters}
    assert (defaults["steps"], defaults["guidance"]) == (PUBLISHED_STEPS, 1.0)


@pytest.mark.parametrize(
    ("name", "value"), [("size", 64), ("size", 512), ("eta", 0.0), ("eta", 1.0), ("sampler", ANCESTRAL), ("bend", False)]
)
def test_the_ends_of_each_range_are_allowed(name: str, value: Any) -> None:
    field = "warp_reference" if name == "bend" else name
    assert getattr(parse_options(_request(**{name: value})), field) == value


@pytest.mark.parametrize(("name", "value"), [("size", 63), ("size", 513), ("eta", -0.01), ("eta", 1.01), ("sampler", "euler")])
def test_beyond_them_nothing_is_allowed(name: str, value: Any) -> None:
    with pytest.raises(LinewashError) as caught:
        parse_options(_request(**{name: value}))
    assert caught.value.code is ErrorCode.BAD_SETTING


def test_ten_steps_start_at_time_901_and_end_at_time_1() -> None:
    assert ddim_timesteps(PUBLISHED_STEPS) == [901, 801, 701, 601, 501, 401, 301, 201, 101, 1]
    assert ddim_timesteps(999)[0] == 999
    for steps in (0, 1000):
        with pytest.raises(ValueError, match="steps"):
            ddim_timesteps(steps)


def test_the_schedule_falls_as_far_as_it_says() -> None:
    abar = alphas_cumprod()
    assert len(abar) == 1000
    assert abar[0].item() == pytest.approx(0.999999, abs=1e-7) and abar[-1].item() == pytest.approx(0.0066, abs=5e-5)
