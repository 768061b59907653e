"""The error table: complete, in whole sentences, and safe to send."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import ERRORS, ErrorCode, LinewashError, error_from_json


def test_every_code_has_a_row_and_every_row_a_code() -> None:
    assert set(ERRORS) == set(ErrorCode)


@pytest.mark.parametrize("code", list(ErrorCode))
def test_a_row_is_two_whole_sentences_for_a_painter(code: ErrorCode) -> None:
    row, error = ERRORS[code], LinewashError(code, "clip-vit-h-14")
    for sentence in (error.message, error.hint):
        assert sentence[0].isupper() and sentence.endswith(".") and len(sentence.split()) >= 3
        assert not set(sentence) & set("{}%_<>\n")
    assert 400 <= row.status < 600


def test_messages_tell_errors_apart() -> None:
    assert len({row.message for row in ERRORS.values()}) == len(ERRORS)


@given(code=st.sampled_from(ErrorCode), detail=st.text())
def test_an_error_survives_the_way(code: ErrorCode, detail: str) -> None:
    error = LinewashError(code, detail)
    again = error_from_json(error.to_json())
    assert again is not None and (again.code, again.detail) == (code, detail)
    assert (again.message, again.hint, again.status) == (error.message, error.hint, ERRORS[code].status)


@pytest.mark.parametrize("data", [{"code": "from_the_future", "detail": "x"}, {}, [], "text", 7, {"code": None}, {"code": []}])
def test_an_unknown_error_is_internal_and_keeps_its_detail(data: object) -> None:
    error = error_from_json(data)
    assert error is not None and error.code is ErrorCode.INTERNAL


def test_no_error_is_none() -> None:
    assert error_from_json(None) is None
