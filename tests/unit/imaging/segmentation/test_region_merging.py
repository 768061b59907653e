"""The graph of regions, and which of them are merged."""

import numpy as np
import pytest

from backend.imaging.segmentation.region_merging import RegionGraph, merge_small, region_adjacency_graph


def test_a_border_counts_eight_times_as_much_without_a_line() -> None:
    labels = np.zeros((10, 20), np.int32)
    labels[:, 10:] = 1
    foreground = np.zeros(2, np.bool_)
    ink = np.zeros(labels.shape, np.bool_)
    assert region_adjacency_graph(labels, 2, ink, None, foreground).contact[0] == {1: 80}
    ink[:, 9] = True
    graph = region_adjacency_graph(labels, 2, ink, None, foreground)
    assert graph.contact[0] == {1: 10} and graph.area.tolist() == [90, 100]


@pytest.mark.parametrize(("small_border", "joins"), [(39, 1), (41, 2)])
def test_a_large_neighbor_counts_four_times(small_border: int, joins: int) -> None:
    contact = ({1: 10, 2: small_border}, {0: 10}, {0: small_border, 3: 1000}, {2: 1000})
    graph = RegionGraph(np.array([1.0, 50.0, 4.0, 50.0]), np.ones(4, np.bool_), np.zeros((4, 2)), contact)
    number, count = merge_small(graph, 6.0, None)  # the first is the smallest; of its neighbors only the second is large
    assert count == 2 and number[0] == number[joins] and number[1] != number[2]


def test_foreground_and_background_are_never_merged() -> None:
    graph = RegionGraph(
        np.array([1.0, 50.0, 2.0]), np.array([True, False, True]), np.array([[0.0, 0], [1, 1], [9, 9]]), ({1: 9}, {0: 9}, {})
    )
    number, count = merge_small(graph, 10.0, 2)
    assert count == 2 and number[0] == number[2] != number[1], "with too many, the nearest of its kind, touching or not"
    assert merge_small(graph, 10.0, None)[1] == 3
