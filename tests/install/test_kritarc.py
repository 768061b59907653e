"""Krita's settings keep every byte that is not ours."""

import stat
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from installer.krita import kritarc

LINES = st.sampled_from(
    ["[python]", "[python]", "  [python]", "[python][sub]", "[theme]", "", "  ", "# note", "enable_tenscripts=true",
     "enable_linewashing=1", "key=[python]", "broken", "ünïcode=ß", "enable_linewash", "\x00\r", "\ufeff"]
)  # fmt: skip
CONTENT = st.builds(
    lambda lines, newlines, last: "".join(a + b for a, b in zip(lines, newlines, strict=False)).encode() + last,
    st.lists(LINES, max_size=12),
    st.lists(st.sampled_from(["\n", "\r\n"]), min_size=12, max_size=12),
    st.sampled_from([b"", b"tail", b"[python]", b"\r", b"\xff\xfe"]),
)


@given(CONTENT | st.binary(max_size=200))
def test_uninstall_restores_every_byte(content: bytes) -> None:
    assume(b"enable_linewash=" not in content.replace(b" ", b""))
    enabled = kritarc.enable(content)
    assert kritarc.is_enabled(enabled)
    assert kritarc.disable(enabled) == content


@given(CONTENT)
def test_enabling_twice_changes_nothing_more(content: bytes) -> None:
    once = kritarc.enable(content)
    assert kritarc.enable(once) == once


@given(CONTENT)
def test_enabling_only_adds(content: bytes) -> None:
    """What is left of the new file, our line and an added header taken away, is the old file in its order."""
    assume(b"enable_linewash=" not in content)
    enabled = kritarc.enable(content)
    at = enabled.index(kritarc.LINE)
    before, after = enabled[:at], enabled[at + len(kritarc.LINE) :].lstrip(b"\r\n") if not enabled.startswith(content) else b""
    if enabled.startswith(content):
        assert enabled[len(content) :].strip() == b"[python]" + enabled[at - 2 : at].lstrip(b"]") + kritarc.LINE
    else:
        assert content.startswith(before)
        assert content[len(before) :].lstrip(b"\r\n") == after


def test_the_line_joins_the_other_plugins_and_keeps_their_line_ends() -> None:
    content = b"[General]\r\na=1\r\n\r\n[python]\r\nenable_comics=true\r\n\r\n[theme]\r\nTheme=Krita dark\r\n"
    enabled = content.replace(b"[python]\r\n", b"[python]\r\nenable_linewash=true\r\n")
    assert kritarc.enable(content) == enabled
    assert kritarc.disable(enabled) == content


def test_a_fresh_file_holds_just_our_section() -> None:
    assert kritarc.enable(b"") == b"[python]\nenable_linewash=true\n"
    assert kritarc.disable(b"[python]\nenable_linewash=true\n") == b""


def test_krita_own_rewriting_leaves_nothing_of_ours_behind() -> None:
    """Krita sorts the groups when it saves; our section is then in the middle."""
    content = b"[general]\na=1\n\n[python]\nenable_linewash=true\n\n[theme]\nb=2\n"
    assert kritarc.disable(content) == b"[general]\na=1\n\n[theme]\nb=2\n"


@pytest.mark.parametrize("value", [b"false", b"0", b"", b"off"])
def test_a_plugin_that_was_switched_off_is_switched_on_in_its_place(value: bytes) -> None:
    content = b"[python]\nx=1\nenable_linewash = " + value + b"\ny=2\n"
    assert not kritarc.is_enabled(content)
    assert kritarc.enable(content) == b"[python]\nx=1\nenable_linewash = true\ny=2\n"


def test_the_same_key_in_another_section_does_not_count() -> None:
    assert not kritarc.is_enabled(b"[other]\nenable_linewash=true\n")
    assert not kritarc.is_enabled(b"[python]\n[other]\nenable_linewash=true\n")


def test_the_file_keeps_its_permissions_and_a_link_stays_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "dotfiles" / "kritarc", tmp_path / "kritarc"
    real.parent.mkdir()
    real.write_bytes(b"[theme]\n")
    real.chmod(0o600)
    link.symlink_to(real)
    kritarc.write(link, b"[python]\n")
    assert link.is_symlink()
    assert real.read_bytes() == b"[python]\n"
    assert stat.S_IMODE(real.stat().st_mode) == 0o600
    assert [path.name for path in real.parent.iterdir()] == ["kritarc"]
