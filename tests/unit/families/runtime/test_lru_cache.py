"""The cache keeps what was asked for last."""

import pytest

from backend.families.runtime.lru_cache import LruCache


def test_the_value_that_was_not_asked_for_longest_is_dropped() -> None:
    cache, computed = LruCache[str](2), list[str]()

    def ask(key: str) -> str:
        def compute() -> str:
            computed.append(key)
            return key.upper()

        return cache.get_or_compute(key, compute)

    assert [ask(key) for key in "abacab"] == list("ABACAB")
    assert computed == ["a", "b", "c", "b"]


def test_an_error_leaves_no_entry() -> None:
    cache = LruCache[int](1)
    with pytest.raises(ZeroDivisionError):
        cache.get_or_compute("key", lambda: 1 // 0)
    assert cache.get_or_compute("key", lambda: 7) == 7
