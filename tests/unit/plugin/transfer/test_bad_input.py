"""Whatever is missing or wrong has its own sentence, and the document stays as it was."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.unit.plugin.conftest import capture, ink, paint, scan, state_of

Case = Callable[[Any], dict[str, Any]]


class Desk:
    """What a case needs to build its document and choices."""

    def __init__(self, plugin: Any, krita: Any, paper: Any, folder: Path) -> None:
        self.plugin, self.krita, self.paper, self.folder = plugin, krita, paper, folder
        self.kinds = plugin.state.choices.ForegroundChoice

    def file(self, name: str, pixels: np.ndarray | None) -> Any:
        if pixels is None:
            (self.folder / name).write_bytes(b"no image at all")
        else:
            cv2.imwrite(str(self.folder / name), pixels)
        return self.plugin.state.choices.Reference(path=str(self.folder / name))

    def good(self) -> dict[str, Any]:
        document = self.paper.document()
        return {"lines": self.id(self.paper.add(document, "Ink", ink())), "references": (self.file("r.png", paint()),)}

    @property
    def document(self) -> Any:
        return self.krita.Krita.instance().front

    def id(self, node: Any) -> str:
        return node.uniqueId().toString()

    def add(self, name: str, pixels: np.ndarray, at: tuple[int, int] = (0, 0)) -> str:
        return self.id(self.paper.add(self.document, name, pixels, at=at))

    def mask(self, pixels: np.ndarray, at: tuple[int, int] = (0, 0)) -> dict[str, Any]:
        good = self.good()
        return {**good, "foreground": self.kinds.MASK, "foreground_layer": self.add("mask", pixels, at)}


def no_lines(desk: Desk) -> dict[str, Any]:
    return {**desk.good(), "lines": ""}


def lines_deleted(desk: Desk) -> dict[str, Any]:
    choices = desk.good()
    desk.document.topLevelNodes()[-1].remove()
    return choices


def transparent_lines(desk: Desk) -> dict[str, Any]:
    return {**desk.good(), "lines": desk.add("empty", np.zeros((80, 96, 4), np.uint8))}


def blank_paper(desk: Desk) -> dict[str, Any]:
    return {**desk.good(), "lines": desk.id(desk.document.topLevelNodes()[0])}


def empty_group(desk: Desk) -> dict[str, Any]:
    return {**desk.good(), "lines": desk.id(desk.paper.group(desk.document, "nothing"))}


def no_reference(desk: Desk) -> dict[str, Any]:
    return {**desk.good(), "references": ()}


def all_references_off(desk: Desk) -> dict[str, Any]:
    return {**desk.good(), "references": (desk.plugin.state.choices.Reference(path="x", used=False),)}


def empty_reference_layer(desk: Desk) -> dict[str, Any]:
    choices = desk.good()
    empty = desk.plugin.state.choices.Reference(layer_id=desk.add("empty", np.zeros((80, 96, 4), np.uint8)))
    return {**choices, "references": (empty,)}


def reference_outside_the_canvas(desk: Desk) -> dict[str, Any]:
    choices = desk.good()
    return {**choices, "references": (desk.plugin.state.choices.Reference(layer_id=desk.add("far", paint(), (500, 500))),)}


def empty_reference_file(desk: Desk) -> dict[str, Any]:
    return {**desk.good(), "references": (desk.file("empty.png", np.zeros((20, 20, 4), np.uint8)),)}


def text_as_reference(desk: Desk) -> dict[str, Any]:
    return {**desk.good(), "references": (desk.file("text.png", None),)}


def reference_gone(desk: Desk) -> dict[str, Any]:
    return {**desk.good(), "references": (desk.plugin.state.choices.Reference(path=str(desk.folder / "gone.png")),)}


def too_many_references(desk: Desk) -> dict[str, Any]:
    return {**desk.good(), "references": (desk.file("r.png", paint()),) * 9}


def nothing_selected(desk: Desk) -> dict[str, Any]:
    return {**desk.good(), "foreground": desk.kinds.SELECTION}


def selection_outside(desk: Desk) -> dict[str, Any]:
    choices = {**desk.good(), "foreground": desk.kinds.SELECTION}
    desk.document.state.selection = desk.krita.Selection(np.zeros((80, 96), np.uint8))
    return choices


def no_mask_chosen(desk: Desk) -> dict[str, Any]:
    return {**desk.good(), "foreground": desk.kinds.MASK}


def black_mask(desk: Desk) -> dict[str, Any]:
    pixels = np.zeros((80, 96, 4), np.uint8)
    pixels[..., 3] = 255
    return desk.mask(pixels)


def transparent_alpha(desk: Desk) -> dict[str, Any]:
    return {**desk.mask(np.zeros((80, 96, 4), np.uint8)), "foreground": desk.kinds.ALPHA}


def smaller_mask(desk: Desk) -> dict[str, Any]:
    return desk.mask(scan(40, 48))


def larger_mask(desk: Desk) -> dict[str, Any]:
    return desk.mask(scan(120, 150), (-10, -10))


def canvas_too_large(desk: Desk) -> dict[str, Any]:
    choices = desk.good()
    desk.document.state.size = (8193, 80)
    return choices


def canvas_too_small(desk: Desk) -> dict[str, Any]:
    choices = desk.good()
    desk.document.state.size = (63, 80)
    return choices


CASES: list[tuple[Case, str]] = [
    (no_lines, "NO_LINES"),
    (lines_deleted, "NO_LINES"),
    (transparent_lines, "EMPTY_LINES"),
    (blank_paper, "EMPTY_LINES"),
    (empty_group, "EMPTY_LINES"),
    (no_reference, "NO_REFERENCE"),
    (all_references_off, "NO_REFERENCE"),
    (empty_reference_layer, "EMPTY_REFERENCE"),
    (reference_outside_the_canvas, "EMPTY_REFERENCE"),
    (empty_reference_file, "EMPTY_REFERENCE"),
    (text_as_reference, "REFERENCE_UNREADABLE"),
    (reference_gone, "REFERENCE_UNREADABLE"),
    (too_many_references, "TOO_MANY_REFERENCES"),
    (nothing_selected, "EMPTY_SELECTION"),
    (selection_outside, "EMPTY_SELECTION"),
    (no_mask_chosen, "NO_MASK"),
    (black_mask, "EMPTY_MASK"),
    (transparent_alpha, "EMPTY_MASK"),
    (smaller_mask, "MASK_SIZE"),
    (larger_mask, "MASK_SIZE"),
    (canvas_too_large, "CANVAS_TOO_LARGE"),
    (canvas_too_small, "CANVAS_TOO_SMALL"),
]


@pytest.mark.parametrize(("case", "code"), CASES, ids=[case.__name__ for case, _ in CASES])
def test_bad_input_has_its_own_sentence(
    plugin: Any, krita: Any, paper: Any, app: Any, tmp_path: Path, case: Case, code: str
) -> None:
    choices = plugin.state.choices.DockerState(**case(Desk(plugin, krita, paper, tmp_path)))
    document = krita.Krita.instance().front
    before = state_of(document)
    with pytest.raises(plugin.shared.errors.LinewashError) as caught:
        plugin.jobs.colorize_job.encode_parts(capture(plugin, app, choices))
    assert caught.value.code is plugin.shared.errors.ErrorCode[code]
    assert state_of(document) == before


def test_a_painted_mask_need_not_fill_the_canvas(plugin: Any, krita: Any, paper: Any, app: Any, tmp_path: Path) -> None:
    foreground = np.zeros((40, 48, 4), np.uint8)
    cv2.circle(foreground, (24, 20), 15, (255, 255, 255, 255), -1)
    choices = plugin.state.choices.DockerState(**Desk(plugin, krita, paper, tmp_path).mask(foreground))
    parts = plugin.jobs.colorize_job.encode_parts(capture(plugin, app, choices))
    assert parts.foreground is not None


def test_without_a_document(plugin: Any, app: Any) -> None:
    with pytest.raises(plugin.shared.errors.LinewashError) as caught:
        plugin.transfer.layer_capture.build_request(app.active_document(), plugin.state.choices.DockerState())
    assert caught.value.code is plugin.shared.errors.ErrorCode.NO_DOCUMENT
