"""PNG: judged by the header, decoded whole or refused."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from backend.imaging.png import decode_gray, decode_rgba, encode, png_size
from shared.errors import ErrorCode, LinewashError


def _pillow(array: np.ndarray, mode: str) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(array).convert(mode).save(stream, "png")
    return stream.getvalue()


def _noise(shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)


@pytest.mark.parametrize("mode", ["RGBA", "RGB", "L", "LA", "P", "1"])
def test_every_color_type_decodes_as_pillow_does(mode: str) -> None:
    data = _pillow(_noise((31, 47, 4)), mode)
    assert png_size(data) == (47, 31)
    expected = np.array(Image.open(io.BytesIO(data)).convert("RGBA"))
    assert np.array_equal(decode_rgba(data), expected)
    assert decode_gray(data).shape == (31, 47)


def test_sixteen_bits_are_rounded_to_eight() -> None:
    deep = (np.arange(64 * 64, dtype=np.uint32) * 16).reshape(64, 64).astype(np.uint16)
    stream = io.BytesIO()
    Image.fromarray(deep).save(stream, "png")
    gray = decode_rgba(stream.getvalue())[..., 0]
    assert np.abs(gray.astype(float) - deep / 257).max() <= 0.5


@pytest.mark.parametrize("shape", [(5, 9), (5, 9, 3), (5, 9, 4)])
def test_encode_and_decode_are_inverse(shape: tuple[int, ...]) -> None:
    image = _noise(shape)
    decoded = decode_gray(encode(image)) if len(shape) == 2 else decode_rgba(encode(image))[..., : shape[2]]
    assert np.array_equal(decoded, image)


def _header(width: int, height: int, depth: int, color: int) -> bytes:
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n\x00\x00\x00\r" + chunk + struct.pack(">I", zlib.crc32(chunk))


def test_the_size_of_a_bomb_is_read_without_decoding_it() -> None:
    assert png_size(_header(2**31 - 1, 2**31 - 1, 8, 6)) == (2**31 - 1, 2**31 - 1)


@pytest.mark.parametrize("header", [(0, 5, 8, 6), (5, 0, 8, 6), (2**31, 5, 8, 6), (5, 5, 3, 6), (5, 5, 8, 5), (5, 5, 16, 3)])
def test_impossible_headers_are_refused(header: tuple[int, int, int, int]) -> None:
    with pytest.raises(LinewashError) as caught:
        png_size(_header(*header))
    assert caught.value.code is ErrorCode.BAD_IMAGE


@given(st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_garbage_is_a_bad_image(data: bytes) -> None:
    for read in (png_size, decode_rgba, decode_gray):
        with pytest.raises(LinewashError) as caught:
            read(data)
        assert caught.value.code is ErrorCode.BAD_IMAGE


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_a_damaged_image_is_refused_or_whole(data: st.DataObject) -> None:
    good = encode(_noise((20, 30, 4)))
    cut = data.draw(st.integers(0, len(good) - 1))
    with pytest.raises(LinewashError) as caught:
        decode_rgba(good[:cut] if cut < len(good) - 16 else good[: len(good) - 16])
    assert caught.value.code is ErrorCode.BAD_IMAGE
