"""Several masks become one foreground: in the request, and in the small image that the docker shows."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.unit.plugin.conftest import capture, ink, paint, run, state_of

SIZE = (80, 96)


def white(rows: slice, columns: slice, value: int = 255) -> np.ndarray:
    """White paint on black."""
    pixels = np.zeros((*SIZE, 4), np.uint8)
    pixels[..., 3] = 255
    pixels[rows, columns] = (value, value, value, 255)
    return pixels


class Table:
    """A drawing with a mask layer, a silhouette, a mask of a layer and a selection."""

    def __init__(self, krita: Any, plugin: Any, paper: Any, file: Path) -> None:
        self.plugin, self.document = plugin, paper.document()
        self.kinds, self.mask_of = plugin.state.choices.ForegroundChoice, plugin.state.choices.ForegroundMask
        self.left, self.right = white(slice(10, 40), slice(5, 30)), white(slice(30, 70), slice(60, 90), 200)
        self.ids = {name: self.id(paper.add(self.document, name, pixels)) for name, pixels in self.layers().items()}
        gray = self.document.createNode("gray", "transparencymask")
        gray.setPixelData(bytes(range(96)) * 80, 0, 0, 96, 80)
        self.document.topLevelNodes()[0].addChildNode(gray, None)
        self.ids["gray"], self.gray = self.id(gray), np.tile(np.arange(96, dtype=np.uint8), (80, 1))
        self.selected = np.zeros(SIZE, np.uint8)
        self.selected[70:78, 2:40] = 130
        self.document.state.selection = krita.Selection(self.selected)
        self.reference = plugin.state.choices.Reference(path=str(file))

    def layers(self) -> dict[str, np.ndarray]:
        return {"left": self.left, "right": self.right, "silhouette": paint(20, 20), "Ink": ink()}

    def id(self, node: Any) -> str:
        return str(node.uniqueId().toString())

    def choices(self, *masks: Any, **changes: Any) -> Any:
        first, *more = masks
        return self.plugin.state.choices.DockerState(
            lines=self.ids["Ink"],
            references=(self.reference,),
            foreground=first.choice,
            foreground_layer=first.layer_id,
            more_masks=tuple(more),
            **changes,
        )

    def painted(self, name: str) -> Any:
        return self.mask_of(self.kinds.MASK, self.ids[name])


@pytest.fixture
def table(krita: Any, plugin: Any, paper: Any, file: Path) -> Table:
    return Table(krita, plugin, paper, file)


def foreground_of(plugin: Any, captured: Any) -> np.ndarray:
    png = plugin.jobs.colorize_job.encode_parts(captured).foreground
    return cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)


def test_masks_of_every_kind_are_united(plugin: Any, app: Any, table: Table) -> None:
    alpha = table.mask_of(table.kinds.ALPHA, table.ids["silhouette"])
    masks = (table.painted("left"), table.painted("right"), alpha, table.painted("gray"), table.mask_of(table.kinds.SELECTION))
    before = state_of(table.document)
    captured = capture(plugin, app, table.choices(*masks))
    silhouette = np.zeros(SIZE, np.uint8)
    silhouette[:20, :20] = 255
    expected = np.maximum.reduce([table.left[..., 0], table.right[..., 0], silhouette, table.gray, table.selected])
    assert np.array_equal(foreground_of(plugin, captured), expected)
    assert captured.request.foreground.value == "mask"
    assert state_of(table.document) == before


def test_what_is_found_comes_on_top(plugin: Any, app: Any, table: Table) -> None:
    automatic = table.mask_of(table.kinds.AUTOMATIC)
    for masks in ((automatic, table.painted("left")), (table.painted("left"), automatic)):
        captured = capture(plugin, app, table.choices(*masks))
        assert captured.request.foreground.value == "mask_and_automatic"
        assert np.array_equal(foreground_of(plugin, captured), table.left[..., 0])
    captured = capture(plugin, app, table.choices(automatic, automatic))
    assert captured.request.foreground.value == "automatic" and not captured.masks


def test_one_mask_chosen_twice_is_read_once(plugin: Any, app: Any, table: Table) -> None:
    captured = capture(plugin, app, table.choices(table.painted("left"), table.painted("left")))
    assert len(captured.masks) == 1


def test_the_selection_is_what_was_before_when_it_says_what_to_recolor(plugin: Any, table: Table) -> None:
    area = plugin.state.choices.Area.SELECTION
    choices = table.choices(table.painted("left"), table.mask_of(table.kinds.SELECTION), area=area)
    assert choices.foreground_masks == (table.painted("left"), table.mask_of(table.kinds.AUTOMATIC))


def test_a_mask_goes_with_its_layer(table: Table) -> None:
    choices = table.choices(table.painted("left"), table.painted("right"), table.mask_of(table.kinds.AUTOMATIC))
    left = {table.ids["left"], table.ids["Ink"]}
    assert choices.without_deleted_layers(left).more_masks == (table.mask_of(table.kinds.AUTOMATIC),)


def test_the_error_names_the_mask(plugin: Any, app: Any, paper: Any, table: Table) -> None:
    table.ids["nothing"] = table.id(paper.add(table.document, "nothing", np.zeros((*SIZE, 4), np.uint8)))
    captured = capture(plugin, app, table.choices(table.painted("left"), table.painted("nothing")))
    with pytest.raises(plugin.shared.errors.LinewashError) as caught:
        plugin.jobs.colorize_job.encode_parts(captured)
    assert caught.value.code.value == "empty_mask" and "nothing" in caught.value.detail


def preview(plugin: Any, app: Any, table: Table, *masks: Any, between: Any = lambda: None) -> np.ndarray:
    sampler, make = plugin.transfer.layer_sample.LayerSampler(app), plugin.transfer.foreground_preview.make_foreground_preview
    image = run(make(sampler, app.active_document(), table.ids["Ink"], masks), between)
    strips = b"".join(plugin.images.codec.image_strips(image))
    return np.frombuffer(strips, np.uint8).reshape(image.height(), image.width(), 4)[..., 2::-1]


def test_the_image_shows_the_union_over_the_lines(plugin: Any, app: Any, table: Table) -> None:
    automatic, none = table.mask_of(table.kinds.AUTOMATIC), table.mask_of()
    alpha = table.mask_of(table.kinds.ALPHA, table.ids["silhouette"])
    before = state_of(table.document)
    shown = preview(plugin, app, table, table.painted("left"), alpha, automatic, none)
    assert state_of(table.document) == before
    assert max(shown.shape[1] / 144, shown.shape[0] / 96) == 1
    scale = shown.shape[0] / 80
    tint = plugin.transfer.foreground_preview.FOREGROUND_COLOR
    assert tuple(shown[int(25 * scale), int(22 * scale)]) == tint  # a mask layer
    assert tuple(shown[int(4 * scale), int(4 * scale)]) == tint  # a silhouette
    assert tuple(shown[int(50 * scale), int(75 * scale)]) == (255, 255, 255)  # not chosen
    assert shown[int(40 * scale), int(12 * scale)].max() < 60  # the line


def test_the_image_of_a_large_canvas_is_made_in_small_steps(plugin: Any, app: Any, table: Table) -> None:
    table.document.resizeImage(0, 0, 3000, 2000)
    read: list[int] = []
    node_class = type(table.document.rootNode())
    original = node_class.projectionPixelData

    def counted(self: Any, x: int, y: int, w: int, h: int) -> bytes:
        read.append(w * h)
        return original(self, x, y, w, h)

    node_class.projectionPixelData = counted
    turns: list[int] = []
    try:
        preview(plugin, app, table, table.painted("left"), table.painted("right"), between=lambda: turns.append(len(read)))
    finally:
        node_class.projectionPixelData = original
    assert max(read) <= 3000 and sum(read) <= 3 * 3000 * plugin.transfer.layer_digest.ROWS
    assert max(after - before for before, after in pairwise(turns)) == 1


def test_the_image_of_a_document_with_16_bits(plugin: Any, app: Any, krita: Any, paper: Any, table: Table) -> None:
    """Its layers have to be converted first."""
    document = paper.document(depth="U16")
    table.ids = {name: table.id(paper.add(document, name, pixels)) for name, pixels in table.layers().items()}
    shown = preview(plugin, app, table, table.painted("left"), table.painted("right"))
    scale = shown.shape[0] / 80
    tint = np.array(plugin.transfer.foreground_preview.FOREGROUND_COLOR)
    assert np.abs(shown[int(25 * scale), int(22 * scale)].astype(int) - tint).max() <= 2


def add_cut(table: Table, node: Any) -> Any:
    """A transparency mask that hides the lower half of a layer."""
    cut = table.document.createNode("cut", "transparencymask")
    cut.setPixelData(bytes([255]) * (96 * 40) + bytes(96 * 40), 0, 0, 96, 80)
    node.addChildNode(cut, None)
    return cut


@pytest.mark.parametrize("is_hidden", [False, True])
@pytest.mark.parametrize("is_inside", [False, True])
def test_a_layer_is_seen_cut_by_its_own_masks(
    plugin: Any, app: Any, paper: Any, table: Table, is_hidden: bool, is_inside: bool
) -> None:
    """As it is when the drawing is colored, also where Krita computes no masks because the layer is hidden."""
    group = paper.group(table.document, "group") if is_inside else None
    node = paper.add(table.document, "cut layer", white(slice(0, 80), slice(0, 96)), group)
    add_cut(table, node)
    table.ids["cut layer"] = table.id(node)
    (group or node).setVisible(not is_hidden)
    masks = (table.mask_of(table.kinds.ALPHA, table.ids["cut layer"]), table.painted("left"))
    read = foreground_of(plugin, capture(plugin, app, table.choices(masks[0])))
    assert [read[20, 50], read[70, 50]] == [255, 0]
    before = state_of(table.document)
    shown = preview(plugin, app, table, *masks)
    assert state_of(table.document) == before
    scale = shown.shape[0] / 80
    tint = plugin.transfer.foreground_preview.FOREGROUND_COLOR
    assert tuple(shown[int(25 * scale), int(50 * scale)]) == tint
    assert tuple(shown[int(75 * scale), int(50 * scale)]) == (255, 255, 255)
    node.setPixelData(bytes([255, 0, 0, 255]) * (96 * 80), 0, 0, 96, 80)
    thumbnail = run(plugin.transfer.layer_sample.LayerSampler(app).thumbnail(app.active_document(), table.ids["cut layer"]))
    assert (thumbnail.width(), thumbnail.height()) == (96, 80)
    assert [thumbnail.pixelColor(48, y).name() for y in (10, 70)] == ["#0000ff", "#ffffff"]


def test_a_hidden_layer_is_computed_again_only_when_it_has_changed(
    plugin: Any, app: Any, paper: Any, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = paper.add(table.document, "hidden", white(slice(0, 80), slice(0, 96)))
    cut = add_cut(table, node)
    node.setVisible(False)
    sampler, refresh = plugin.transfer.layer_sample.LayerSampler(app), app.event_calls.refresh_projection
    computed: list[Any] = []
    monkeypatch.setattr(app.event_calls, "refresh_projection", lambda each: computed.append(each) or refresh(each))

    def sample() -> int:
        run(sampler.thumbnail(app.active_document(), table.id(node)))
        return len(computed)

    assert [sample(), sample()] == [1, 1]
    cut.setPixelData(bytes([9]) * (96 * 10), 0, 5, 96, 10)
    assert [sample(), sample()] == [2, 2]
    node.setPixelData(bytes([255, 0, 0, 255]) * (96 * 80), 0, 0, 96, 80)
    assert [sample(), sample()] == [3, 3]


def test_a_large_hidden_layer_is_computed_in_small_steps(
    plugin: Any, app: Any, paper: Any, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    table.document.resizeImage(0, 0, 3000, 2000)
    node = paper.add(table.document, "hidden", np.full((2000, 3000, 4), 255, np.uint8))
    add_cut(table, node)
    node.setVisible(False)
    sizes: list[int] = []
    move = app.event_calls.move_canvas
    monkeypatch.setattr(app.event_calls, "move_canvas", lambda each, *to: sizes.append(to[2] * to[3]) or move(each, *to))
    thumbnail = run(plugin.transfer.layer_sample.LayerSampler(app).thumbnail(app.active_document(), table.id(node)))
    assert (thumbnail.width(), thumbnail.height()) == (96, 64)
    reader, pixels = plugin.transfer.pixel_reader, plugin.krita_api.pixel_data
    assert sum(sizes) == 3000 * 2000 and max(sizes) <= reader.TILE_STRIPS * pixels.STRIP_PIXELS
