"""The upload body: as long as it says, readable by any parser, read in blocks, and repeatable."""

import email.parser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import ErrorCode, LinewashError
from shared.multipart import BLOCK, MultipartBody


def parsed(body: MultipartBody) -> dict[str, bytes]:
    head = ("Content-Type: %s\r\n\r\n" % body.content_type).encode()
    message = email.parser.BytesParser().parsebytes(head + b"".join(body))
    return {
        part.get_param("name", header="content-disposition"): part.get_payload(decode=True) for part in message.get_payload()
    }


@given(st.dictionaries(st.sampled_from(["lines", "reference0", "foreground"]), st.binary(max_size=300)))
def test_the_length_is_right_and_it_can_be_sent_again(images: dict[str, bytes]) -> None:
    body = MultipartBody(b"{}", images)
    once = b"".join(body)
    assert len(once) == len(body) and once == b"".join(body)
    assert all(image in once for image in images.values())


def test_another_parser_reads_it_request_first(tmp_path: Path) -> None:
    (tmp_path / "lines.png").write_bytes(b"lines")
    found = parsed(MultipartBody(b'{"width":64}', {"lines": tmp_path / "lines.png", "reference0": b"reference"}))
    assert list(found) == ["request", "lines", "reference0"]
    assert found == {"request": b'{"width":64}', "lines": b"lines", "reference0": b"reference"}


def test_a_file_is_read_in_blocks(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(3 * BLOCK + 1))
    body = MultipartBody(b"{}", {"lines": tmp_path / "large"})
    assert max(len(block) for block in body) == BLOCK


@pytest.mark.parametrize(("part", "code"), [("reference0", ErrorCode.REFERENCE_UNREADABLE), ("lines", ErrorCode.BAD_IMAGE)])
def test_a_file_that_is_gone_has_its_sentence(tmp_path: Path, part: str, code: ErrorCode) -> None:
    with pytest.raises(LinewashError) as caught:
        MultipartBody(b"{}", {part: tmp_path / "gone.png"})
    assert caught.value.code is code


def test_a_file_that_shrinks_while_it_is_sent_has_its_sentence(tmp_path: Path) -> None:
    path = tmp_path / "reference.png"
    path.write_bytes(bytes(2 * BLOCK))
    body = iter(MultipartBody(b"{}", {"reference0": path}))
    for _ in range(4):
        next(body)
    path.write_bytes(b"")
    with pytest.raises(LinewashError) as caught:
        list(body)
    assert caught.value.code is ErrorCode.REFERENCE_UNREADABLE
