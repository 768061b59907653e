"""Whether a checkpoint fits into memory is known from the headers of its files, before a weight is read."""

from pathlib import Path

import pytest

from backend.families.colorizediffusion.checkpoint.loader import count_weights
from backend.families.colorizediffusion.factory import USUAL_ROWS, fits_float32
from backend.families.colorizediffusion.spec import defaults
from backend.families.runtime.memory_plan import USABLE_SHARE, estimate_memory
from backend.weights.companions import Companions
from shared.errors import ErrorCode, LinewashError
from tests.parity.files import clip_alone, copy_of, without_clip
from tests.parity.golden import VERSIONS, golden
from tests.parity.loaded import parts


def counts_of(version: str) -> dict[str, int]:
    """Numbers in each network as it is loaded."""
    networks = parts(version).networks
    return {part: sum(weight.numel() for weight in network.parameters()) for part, network in networks.items()}


@pytest.mark.parametrize("version", VERSIONS)
def test_counted_from_the_header_is_what_is_loaded(version: str) -> None:
    assert count_weights(golden(version).sd) == counts_of(version)


def test_clip_is_counted_wherever_it_comes_from(tmp_path: Path) -> None:
    alone = copy_of("v1", tmp_path, without_clip)
    companions: Companions = {"clip-vit-h-14": clip_alone("v1", tmp_path, lambda name: name)}
    assert count_weights(alone, companions) == counts_of("v1")
    with pytest.raises(LinewashError) as caught:
        count_weights(alone)
    assert caught.value.code is ErrorCode.COMPANION_MISSING


@pytest.mark.parametrize("name", VERSIONS)
def test_float32_is_taken_from_the_byte_on_where_it_fits(name: str) -> None:
    version, counts = parts(name).version, counts_of(name)
    step = sum(counts[part] for part in version.step_parts)
    side = int(defaults(version.spec.parameters)["size"])
    need = estimate_memory(4 * step, 4 * (sum(counts.values()) - step), side, USUAL_ROWS, width=4)
    # All weights are there at once, and the larger of what steps and decoder hold besides.
    least = (4 * sum(counts.values()) + max(need.sampling, need.decoding)) / USABLE_SHARE
    assert fits_float32(version, golden(name).sd, {}, int(least) + 2)
    assert not fits_float32(version, golden(name).sd, {}, int(least) - 2)
    assert fits_float32(version, golden(name).sd, {}, None)
