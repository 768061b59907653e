"""How often networks ran."""

import torch
from torch import nn

from backend.contract.family import ColorModel
from backend.evaluation.colorize_pair import ColorizeOptions, colorize_pair
from backend.evaluation.network_calls import NetworkCallCounter, find_networks
from backend.evaluation.pairs import Pair
from backend.families.runtime.condition_cache import CachingModel
from shared.protocol import Finish


class Held:
    """Networks in an attribute, in a mapping, in a tuple; one of them twice."""

    def __init__(self) -> None:
        self.one = nn.Linear(1, 1)
        self.more = {"two": nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1)), "three": (nn.Linear(1, 1), self.one)}
        self.self = self


def test_outermost_networks_are_found_once() -> None:
    held = Held()
    assert {id(n) for n in find_networks(held)} == {id(held.one), id(held.more["two"]), id(held.more["three"][0])}


def test_methods_other_than_forward_count() -> None:
    held, calls = Held(), NetworkCallCounter()
    two = held.more["two"]
    with calls.watch(held):
        two(torch.zeros(1, 1))
        two[0](torch.zeros(1, 1))
        held.one(torch.zeros(5, 1))
    held.one(torch.zeros(1, 1))
    assert calls.total == 2 + 1
    assert not any(layer._forward_pre_hooks for layer in two)


def test_a_coloring_counts_through_what_wraps_the_family(boxes_pair: Pair, disc_model: ColorModel) -> None:
    for family in (disc_model, CachingModel(disc_model)):
        result = colorize_pair(family, boxes_pair, ColorizeOptions(Finish.FLATS))
        assert result.calls == 2
        assert result.seconds > 0 and result.cpu > 0
