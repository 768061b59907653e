"""Several masks in the docker: added, shown together, taken out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PyQt6.QtGui import QImage
from PyQt6.QtWidgets import QLabel, QWidget

from tests.unit.plugin.bench import Bench


def image_of_masks(bench: Bench) -> QImage | None:
    label = bench.widget("foregroundImage")
    return label.pixmap().toImage() if label.isVisibleTo(bench.docker) else None


def texts_of(bench: Bench) -> list[str]:
    return [label.text() for label in bench.docker.findChildren(QLabel) if label.isVisibleTo(bench.docker)]


def test_masks_are_added_shown_together_and_taken_out(bench: Bench, document: Any, file: Path) -> None:
    bench.drop(file)
    assert image_of_masks(bench) is None
    bench.click("foregroundAdd")
    box = bench.widget("mask2")
    texts = [box.itemText(i) for i in range(box.count())]
    assert texts[:4] == ["Choose a mask…", "Automatic", "Selection", "Ink"] and "Alpha of Colors" in texts
    bench.click("color")
    assert bench.says().startswith("A foreground mask is still to be chosen.")
    bench.pick("mask2", "Alpha of Ink")
    bench.until(lambda: image_of_masks(bench) is not None)
    assert "and what Automatic finds" in texts_of(bench)
    bench.click("color")
    bench.until(bench.idle)
    assert bench.backend.request.foreground.value == "mask_and_automatic" and "foreground" in bench.backend.parts
    before = image_of_masks(bench)
    bench.click("foregroundAdd")
    bench.pick("mask3", "Alpha of Colors")
    bench.until(lambda: image_of_masks(bench) not in (before, None))
    bench.click("removeMask2")
    assert bench.widget("mask2").currentText() == "Alpha of Colors" and not bench.widget("mask3").isVisibleTo(bench.docker)
    bench.click("removeMask2")
    assert image_of_masks(bench) is None
    bench.click("color")
    bench.until(bench.idle)
    assert bench.backend.request.foreground.value == "automatic"


def test_the_image_of_the_masks_follows_the_painter(bench: Bench, document: Any) -> None:
    bench.pick("foreground", "Layer alpha")
    bench.pick("foregroundLayer", "Ink")
    bench.click("foregroundAdd")
    bench.pick("mask2", "Automatic")
    bench.until(lambda: image_of_masks(bench) is not None)
    before = image_of_masks(bench)
    document.topLevelNodes()[-1].setPixelData(bytes([0, 0, 0, 255]) * (40 * 20), 30, 30, 40, 20)
    bench.until(lambda: image_of_masks(bench) != before)
    document.state.selection = bench.krita.Selection(np.full((80, 96), 255, np.uint8))
    bench.pick("area", "Selection")
    assert bench.widget("mask2").currentText() == "As before"
    bench.until(lambda: "and the earlier foreground" in texts_of(bench))


def test_no_more_than_eight_masks(bench: Bench, document: Any) -> None:
    for _ in range(9):
        bench.click("foregroundAdd")
    assert bench.widget("mask8").isVisibleTo(bench.docker) and not bench.widget("foregroundAdd").isEnabled()
    assert bench.docker.findChild(QWidget, "mask9") is None
