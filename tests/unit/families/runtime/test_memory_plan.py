"""What gives way, in which order, when memory is short."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.families.runtime.memory_plan import MIN_SIDE, MemoryPlan, estimate_memory, fits, free_memory, plan_memory
from shared.errors import ErrorCode, LinewashError

GB = 10**9
FULL = estimate_memory(denoiser=2 * GB, others=2 * GB, side=768, rows=2)


def test_with_room_enough_nothing_gives_way_and_nothing_is_reported() -> None:
    assert plan_memory(24 * GB, FULL, 768, can_offload=True) == MemoryPlan(False, False, 768)


def test_things_give_way_in_the_order_of_what_they_cost() -> None:
    plans = [plan_memory(int(free * GB / 10), FULL, 768, can_offload=True) for free in range(120, 28, -1)]
    ranks = [(each.offload, each.tiling, 768 - each.side) for each in plans]
    assert ranks == sorted(ranks)
    assert {each[:2] for each in ranks} == {(False, False), (True, False), (True, True)} and ranks[-1][2] > 0
    for each in plans:
        assert ("take turns" in each.message, "tiles" in each.message, "pixels" in each.message) == (
            each.offload,
            each.tiling,
            each.side < 768,
        )


def test_main_memory_has_nowhere_to_put_parts() -> None:
    assert not plan_memory(6 * GB, FULL, 768, can_offload=False).offload
    assert plan_memory(6 * GB, FULL, 768, can_offload=False).tiling


def test_what_cannot_fit_is_refused_with_the_numbers() -> None:
    with pytest.raises(LinewashError) as caught:
        plan_memory(GB, FULL, 768, can_offload=True)
    assert caught.value.code is ErrorCode.OUT_OF_MEMORY and "2.4 GB are needed, 0.9 GB are free" in caught.value.detail


@given(free=st.integers(0, 40 * GB), side=st.integers(MIN_SIDE, 1536), rows=st.integers(1, 3), offload=st.booleans())
def test_more_memory_never_makes_anything_worse(free: int, side: int, rows: int, offload: bool) -> None:
    wanted = estimate_memory(2 * GB, 2 * GB, side, rows)
    try:
        less = plan_memory(free, wanted, side, offload)
    except LinewashError:
        return
    more = plan_memory(free + GB, wanted, side, offload)
    assert MIN_SIDE <= less.side <= more.side <= side
    assert (more.offload, more.tiling) <= (less.offload, less.tiling)


def test_the_memory_of_this_computer_is_known_or_reported_as_unknown() -> None:
    free = free_memory("cpu")
    assert free is None or free > 2**20


def test_nine_tenths_of_the_free_memory_are_counted_on() -> None:
    needed = FULL.denoiser + FULL.others + max(FULL.sampling, FULL.decoding)
    enough = -(-needed * 10 // 9)
    assert plan_memory(enough + 2, FULL, 768, can_offload=True) == MemoryPlan(False, False, 768)
    assert plan_memory(enough - 2, FULL, 768, can_offload=True).offload


def test_no_image_becomes_smaller_than_256() -> None:
    steps_alone = estimate_memory(denoiser=2 * GB, others=0, side=768, rows=2)
    free, sides = 3 * GB, list[int]()
    while True:
        try:
            sides.append(plan_memory(free, steps_alone, 768, can_offload=True).side)
        except LinewashError:
            break
        free -= GB // 200
    assert sides[-1] == min(sides) == MIN_SIDE == 256


def test_what_fits_is_what_needs_no_saving() -> None:
    for tenths in range(10, 130):
        free = tenths * GB // 10
        try:
            unsaved = plan_memory(free, FULL, 768, can_offload=False) == MemoryPlan(False, False, 768)
        except LinewashError:
            unsaved = False
        assert fits(free, FULL, 768) is unsaved
    assert fits(None, FULL, 768)


def test_numbers_of_32_bits_need_twice_the_memory() -> None:
    narrow = estimate_memory(denoiser=2 * GB, others=0, side=768, rows=2, width=2)
    wide = estimate_memory(denoiser=4 * GB, others=0, side=768, rows=2, width=4)
    assert (wide.denoiser, wide.sampling) == (2 * narrow.denoiser, 2 * narrow.sampling)
