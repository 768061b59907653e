"""Names of results: building, recognizing and parsing them."""

import pytest

from shared.result_names import is_result_group, parse_seed, result_name


@pytest.mark.parametrize("seed", [0, 7, 4821])
@pytest.mark.parametrize("mode", ["", "flats", "Foreground to foreground, selection"])
def test_a_built_name_is_recognized_and_parsed(seed: int, mode: str) -> None:
    name = result_name(seed, mode, "mini")
    assert is_result_group(name) and parse_seed(name) == seed


def test_what_tells_results_apart_comes_first() -> None:
    assert result_name(4821, "flats", "mini") == "Linewash 4821 flats · mini"


@pytest.mark.parametrize("name", ["Linewash notes", "Linewash 12th try", "Linewash ", "Lines 4821 flats"])
def test_a_painters_own_name_has_no_seed(name: str) -> None:
    assert parse_seed(name) == 0
