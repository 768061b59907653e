"""How the painter chooses what is foreground: one mask or several, and the image of what they make together."""

import time
from typing import Any, Callable, List, Optional, Sequence, Tuple

from .controller import Controller
from .event_loop import Task
from .krita_api.document import Document, Layer
from .qt import QtCore, QtWidgets
from .state.choices import MAX_MASKS, Area, DockerState, ForegroundChoice, ForegroundMask
from .transfer.foreground_preview import make_foreground_preview
from .transfer.layer_sample import LayerSampler
from .widgets.foreground_masks import Entry
from .widgets.panel import FOREGROUNDS, RECOLORING_FOREGROUNDS, Panel

RENEW_S = 2.0
"""How often the image is made anew while the choices stay: Krita does not say when somebody paints on a mask."""

UNITED = "The foreground: all these masks together, over the lines"
AND_FOUND, AND_BEFORE = "and what Automatic finds", "and the earlier foreground"
"""What comes to the masks when the drawing is colored."""


class ForegroundChooser(QtCore.QObject):
    """Shows the choices of the document in front, and passes on what the painter does.

    docker: what the widgets belong to; with it this object ends, and every task.  choose: changes the choices of the document
    in front, as named, and shows them.
    """

    def __init__(self, docker: QtWidgets.QWidget, panel: Panel, controller: Controller, choose: Callable[..., Any]) -> None:
        super().__init__(docker)
        self._panel, self._controller, self._choose = panel, controller, choose
        self._choices, self._sampler = DockerState(), LayerSampler(controller.app)
        self._key: Optional[Tuple[Any, ...]] = None
        self._is_making, self._made = False, 0.0
        tasks: List[Task] = []
        self._tasks = tasks
        docker.destroyed.connect(lambda: [task.cancel() for task in tasks])
        panel.foreground.chosen.connect(lambda foreground: self._choose(foreground=foreground))
        panel.foreground_layer.chosen.connect(lambda layer_id: self._choose(foreground_layer=layer_id))
        panel.foreground_add.clicked.connect(lambda: self._choose(more_masks=(*self._choices.more_masks, ForegroundMask())))
        panel.mask_rows.chosen.connect(self._change_mask)
        panel.mask_rows.removed.connect(self._remove_mask)

    def show(self, choices: DockerState, layers: Sequence[Layer]) -> None:
        """Show these choices."""
        self._choices, panel, recolors = choices, self._panel, choices.area is Area.SELECTION
        kinds = RECOLORING_FOREGROUNDS if recolors else FOREGROUNDS
        panel.foreground.show_entries(kinds, choices.effective_foreground)
        wants_layer = choices.effective_foreground.wants_layer
        panel.foreground_layer.setVisible(wants_layer)
        if wants_layer:
            takes_masks = choices.foreground is ForegroundChoice.MASK
            usable = [(each.id, each.name) for each in layers if each.has_colors or (takes_masks and each.is_mask)]
            panel.foreground_layer.show_entries([("", "Choose a layer…")] + usable, choices.foreground_layer)
        panel.foreground_add.setEnabled(len(choices.more_masks) + 1 < MAX_MASKS)
        panel.mask_rows.show_masks([choices.effective_mask(mask) for mask in choices.more_masks], _entries(kinds, layers))

    def show_image(self, document: Optional[Document], lines_id: str, is_busy: bool) -> None:
        """Show what several masks make together; made anew when they change, and every now and then."""
        masks = self._choices.foreground_masks
        if document is None or len(masks) < 2:
            self._key = None
            self._panel.foreground_image.show_foreground(None)
            return
        key = (document.session_id, document.size, lines_id, masks)
        is_due = key != self._key or time.monotonic() - self._made > RENEW_S
        if is_due and not self._is_making and not is_busy and document.is_idle:
            self._is_making, self._key = True, key
            self._tasks[:] = [self._controller.loop.start(self._make_image(document, lines_id, masks))]

    async def _make_image(self, document: Document, lines_id: str, masks: Sequence[ForegroundMask]) -> None:
        try:
            image = await make_foreground_preview(self._sampler, document, lines_id, masks)
        finally:
            self._is_making, self._made = False, time.monotonic()
        if self._key is not None:  # else there are not several masks any more
            self._panel.foreground_image.show_foreground(image, UNITED, self._note(masks))

    def _note(self, masks: Sequence[ForegroundMask]) -> str:
        """What the image leaves out."""
        if all(mask.choice is not ForegroundChoice.AUTOMATIC for mask in masks):
            return ""
        return AND_BEFORE if self._choices.area is Area.SELECTION else AND_FOUND

    def _change_mask(self, number: int, mask: ForegroundMask) -> None:
        masks = list(self._choices.more_masks)
        masks[number] = mask
        self._choose(more_masks=tuple(masks))

    def _remove_mask(self, number: int) -> None:
        masks = self._choices.more_masks
        self._choose(more_masks=masks[:number] + masks[number + 1 :])


def _entries(kinds: Sequence[Tuple[ForegroundChoice, str]], layers: Sequence[Layer]) -> List[Entry]:
    """All masks that can be chosen in one list."""
    plain = [(ForegroundMask(kind), title) for kind, title in kinds if not kind.wants_layer]
    colored = [each for each in layers if each.has_colors]
    masks = [each for each in layers if each.has_colors or each.is_mask]
    painted = [(ForegroundMask(ForegroundChoice.MASK, each.id), each.name) for each in masks]
    alphas = [(ForegroundMask(ForegroundChoice.ALPHA, each.id), "Alpha of " + each.name) for each in colored]
    return [*plain, *painted, *alphas]
