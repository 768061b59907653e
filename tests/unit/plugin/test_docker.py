"""What the docker shows, and what it does with the painter's choices."""

import sys
from pathlib import Path
from typing import Any

import pytest
from PyQt6.QtCore import QBuffer, QMimeData, QPoint, QRect, Qt
from PyQt6.QtGui import QColor, QImage
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication, QLabel, QScrollArea

from tests.unit.plugin.bench import Bench
from tests.unit.plugin.conftest import ink, state_of


def test_without_a_document(bench: Bench) -> None:
    assert bench.says() == "Open a line drawing to begin."
    bench.click("color")
    assert bench.says() == "No document is open. Open a line drawing first."


def test_the_first_look(bench: Bench, document: Any) -> None:
    box = bench.widget("lines")
    assert [box.itemText(i) for i in range(box.count())] == ["Automatic: Ink", "Ink", "Colors", "Background"]
    box = bench.widget("foreground")
    texts = [box.itemText(i) for i in range(box.count())]
    assert texts == ["Automatic", "Selection", "Mask layer", "Layer alpha"]
    assert bench.idle() and not bench.widget("cancel").isEnabled()
    assert not bench.widget("foregroundLayer").isVisibleTo(bench.docker)
    assert not bench.widget("progress").isVisibleTo(bench.docker)


def test_color_without_a_reference_says_so(bench: Bench, document: Any) -> None:
    before = state_of(document)
    bench.click("color")
    assert bench.says().startswith("There is no reference.") and bench.idle()
    assert state_of(document) == before


def test_a_layer_as_reference_and_the_choices_in_the_request(bench: Bench, document: Any) -> None:
    bench.add_layer("Colors")
    bench.pick("finish", "Flats")
    bench.click("color")
    bench.until(bench.idle)
    assert bench.backend.request.finish.value == "flats"
    assert set(bench.backend.parts) == {"lines", "reference0"}
    assert bench.krita.Krita.instance().settings[("linewash", "finish")] == "flats"


def test_how_the_lines_are_read_is_asked_for_when_it_is_chosen(bench: Bench, document: Any, file: Path) -> None:
    box = bench.widget("linesAs")
    assert [box.itemText(i) for i in range(box.count())] == ["Line drawing", "White on black", "Colored image"]
    bench.drop(file)
    bench.click("color")
    bench.until(bench.idle)
    assert "preparation" not in bench.backend.request.to_json()
    for text, value in (("White on black", "white_on_black"), ("Colored image", "dodge")):
        bench.pick("linesAs", text)
        assert box.currentText() == text
        bench.click("color")
        bench.until(bench.idle)
        assert bench.backend.request.preparation.value == value


def test_a_mask_layer_is_chosen_beside_its_kind(bench: Bench, document: Any, file: Path) -> None:
    bench.drop(file)
    bench.pick("foreground", "Layer alpha")
    assert bench.widget("foregroundLayer").isVisibleTo(bench.docker)
    bench.click("color")
    assert bench.says().startswith("A foreground mask is still to be chosen.")
    bench.pick("foregroundLayer", "Colors")
    bench.click("color")
    bench.until(bench.idle)
    assert bench.backend.request.foreground.value == "mask" and "foreground" in bench.backend.parts


def test_color_again_while_looking_at_the_result_takes_the_same_lines(bench: Bench, document: Any, file: Path) -> None:
    bench.drop(file)
    bench.click("color")
    bench.until(bench.idle)
    document.setActiveNode(document.topLevelNodes()[2].childNodes()[1])
    bench.docker.refresh()
    assert bench.widget("lines").currentText() == "Automatic: Ink"
    bench.click("color")
    bench.until(bench.idle)
    assert [node.name().split(" ")[0] for node in document.topLevelNodes()][2:] == ["Linewash", "Linewash", "Ink"]


def test_references_are_switched_and_taken_out(bench: Bench, document: Any, file: Path) -> None:
    bench.drop(file)
    bench.drop(file)
    shown = bench.widget("reference")
    assert shown.count() == 1  # the same file twice is one reference
    assert "right-click" in shown.item(0).toolTip()  # nothing else tells of the menu
    cell = shown.visualItemRect(shown.item(0))
    QTest.mouseClick(shown.viewport(), Qt.MouseButton.LeftButton, pos=cell.center())
    assert [reference.used for reference in shown.references()] == [False]
    bench.click("color")
    assert bench.says().startswith("There is no reference.")
    reference_list = sys.modules["linewash.widgets.reference_list"]
    QTest.mouseClick(shown.viewport(), Qt.MouseButton.LeftButton, pos=reference_list.cross_rect(cell).center())
    assert shown.count() == 0


def test_more_than_eight_references_are_refused(bench: Bench, document: Any, tmp_path: Path) -> None:
    for number in range(9):
        bench.drop(tmp_path / ("%d.png" % number))
    assert bench.widget("reference").count() == 8
    assert bench.says().startswith("There are too many references.")


def test_the_status_line_names_the_next_step(bench: Bench, document: Any, file: Path) -> None:
    assert bench.says() == "Choose lines and a reference, then press Colorize."
    bench.click("color")
    assert bench.says().startswith("There is no reference.")
    bench.drop(file)
    assert bench.says() == "Press Colorize."


def test_every_list_has_a_label(bench: Bench) -> None:
    labels = [label.text() for label in bench.docker.findChildren(QLabel) if label.text()]
    assert labels[:10] == [
        "Lines",
        "Read as",
        "Reference",
        "Hints",
        "Foreground",
        "Model",
        "Mode",
        "Finish",
        "Area",
        "Variation",
    ]


def test_a_deleted_layer_leaves_the_lists(bench: Bench, document: Any) -> None:
    bench.add_layer("Colors")
    bench.pick("lines", "Ink")
    document.topLevelNodes()[1].remove()
    bench.docker.refresh()
    assert bench.widget("reference").count() == 0
    assert bench.widget("lines").currentText() == "Ink"


def test_opening_a_document_clears_the_complaint_that_there_is_none(bench: Bench, paper: Any) -> None:
    bench.click("color")
    assert bench.says().startswith("No document is open.")
    paper.document()
    bench.docker.refresh()
    assert bench.says() == "Choose lines and a reference, then press Colorize."


def test_on_a_mask_the_active_layer_is_the_one_it_belongs_to(bench: Bench, document: Any) -> None:
    mask = document.createNode("mask", "transparencymask")
    document.topLevelNodes()[2].addChildNode(mask, None)
    document.setActiveNode(mask)
    bench.docker.refresh()
    assert bench.widget("lines").currentText() == "Automatic: Ink"


def test_clicks_leave_the_keyboard_to_the_canvas(bench: Bench) -> None:
    for name in ("lines", "reference", "referenceAdd", "foreground", "finish", "color", "cancel"):
        assert bench.widget(name).focusPolicy() == Qt.FocusPolicy.TabFocus


def test_all_references_are_visible_in_a_narrow_column(bench: Bench, document: Any, tmp_path: Path) -> None:
    shown = bench.widget("reference")
    for number in range(8):
        bench.drop(tmp_path / ("%d.png" % number))
        QTest.qWait(5)
        cells = [shown.visualItemRect(shown.item(row)) for row in range(shown.count())]
        assert all(shown.viewport().rect().contains(cell) for cell in cells)
        assert not any(a.intersects(b) for a in cells for b in cells if a != b)


def test_a_grayscale_document_is_pointed_out_before_it_is_colored(bench: Bench, paper: Any) -> None:
    paper.document(model="GRAYA")
    bench.docker.refresh()
    assert bench.says().startswith("This document is grayscale")
    paper.document()
    bench.docker.refresh()
    assert bench.says().startswith("Choose lines and a reference")


def test_it_fits_a_column_of_260_pixels_on_a_small_screen_and_what_comes_later_pushes_nothing(
    bench: Bench, document: Any
) -> None:
    for _ in range(2):  # text that wraps has its height only once it has its width
        bench.docker.resize(260, 10)
        QTest.qWait(5)
    height, area = bench.docker.height(), bench.docker.findChild(QScrollArea)
    assert bench.docker.width() == 260 and height <= 240  # the screen has 800, of which Krita needs 560
    bench.pick("foreground", "Layer alpha")
    QTest.qWait(5)
    bench.docker.resize(260, 10)
    assert (bench.docker.width(), bench.docker.height()) == (260, height)
    assert area.verticalScrollBar().isVisibleTo(area)
    assert area.widget().minimumSizeHint().width() <= area.widget().width() == area.viewport().width()
    for name in ("color", "cancel", "status"):
        shown = bench.widget(name)
        assert bench.docker.rect().contains(QRect(shown.mapTo(bench.docker, QPoint(0, 0)), shown.size()))


@pytest.mark.parametrize(("screen", "height"), [(1080, 300), (900, 220), (768, 88), (700, 39)])
def test_the_docker_asks_for_no_more_height_than_the_screen_has(bench: Bench, screen: int, height: int) -> None:
    assert sys.modules["linewash.widgets.scroll_area"].least_height(300, 26, screen) == height


def test_no_choice_is_hidden_while_there_is_room(bench: Bench, document: Any) -> None:
    bench.docker.resize(260, 700)
    area = bench.docker.findChild(QScrollArea)
    for kind in ("Layer alpha", "Automatic", "Mask layer"):
        bench.pick("foreground", kind)
        bench.until(lambda: area.height() == area.widget().sizeHint().height())


def as_pixels(image: QImage) -> QMimeData:
    data = QMimeData()
    data.setImageData(image)
    return data


def as_png(image: QImage) -> QMimeData:
    data, buffer = QMimeData(), QBuffer()
    buffer.open(QBuffer.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")
    data.setData("image/png", buffer.data())
    return data


@pytest.mark.parametrize("to_data", [as_pixels, as_png])
def test_an_image_without_a_file_is_dropped_or_pasted(bench: Bench, document: Any, to_data: Any) -> None:
    image = QImage(30, 20, QImage.Format.Format_RGB32)
    image.fill(QColor(200, 30, 40))
    bench.drop_data(to_data(image))
    shown = bench.widget("reference")
    bench.until(lambda: shown.count() == 1)
    QApplication.clipboard().setMimeData(to_data(image))
    bench.add_layer("From the clipboard")
    bench.until(lambda: shown.count() == 2)
    assert shown.item(1).toolTip().startswith("pasted 2.png")
    bench.click("color")
    bench.until(bench.idle)
    assert bench.says().startswith("Done in") and {"reference0", "reference1"} <= set(bench.backend.parts)
    sent = QImage.fromData(bench.backend.parts["reference1"])
    assert (sent.width(), sent.height(), sent.pixelColor(3, 3).getRgb()[:3]) == (30, 20, (200, 30, 40))


def test_an_empty_clipboard_cannot_be_pasted(bench: Bench, document: Any) -> None:
    QApplication.clipboard().setText("no image")
    bench.click("referenceAdd")
    (paste,) = [each for each in bench.docker._panel.reference_menu.actions() if each.text() == "From the clipboard"]
    assert not paste.isEnabled()
    bench.docker._panel.reference_menu.close()


def test_results_do_not_flood_the_lists(bench: Bench, document: Any, paper: Any) -> None:
    group = paper.group(document, "Linewash 7 flats · mini")
    for name in ("Background", "Foreground", "Lines"):
        paper.add(document, name, ink(), group)
    bench.docker.refresh()
    box, menu = bench.widget("lines"), bench.docker._panel.reference_menu
    assert [box.itemText(i) for i in range(1, box.count())] == ["Lines", "Ink", "Colors", "Background"]
    bench.click("referenceAdd")
    layers = [each.text() for each in menu.actions() if each.isEnabled() and each.text()][1:]
    menu.close()
    assert [each for each in layers if each != "From the clipboard"] == [group.name(), "Ink", "Colors", "Background"]


def test_the_docker_shows_itself_once_with_the_first_document(bench: Bench, paper: Any) -> None:
    bench.docker.hide()
    bench.docker.canvasChanged(None)
    QTest.qWait(20)
    assert bench.docker.isHidden()  # no document yet
    paper.document()
    bench.docker.canvasChanged(None)
    bench.until(lambda: not bench.docker.isHidden())
    bench.docker.hide()
    bench.docker.canvasChanged(None)
    QTest.qWait(20)
    assert bench.docker.isHidden()  # the painter closed it, and it stays so
