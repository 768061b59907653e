"""How the painter chooses references: the menu of the + button, the file dialog, the clipboard, images dropped."""

# pyright: reportOptionalMemberAccess=false
# PyQt6 types nearly everything that Qt returns as Optional, also what is always there.

from pathlib import Path
from typing import Any, Callable, Coroutine, Iterable, List, Union

from .controller import Controller
from .event_loop import in_thread, pause
from .images.clipboard import ImageSource
from .images.thumbnails import file_thumbnail
from .krita_api.document import Document
from .qt import QtCore, QtGui, QtWidgets
from .shared.errors import ErrorCode, LinewashError
from .shared.protocol import MAX_REFERENCES
from .state.choices import DockerState, Reference
from .state.model_choices import background_reference, bleaching_threshold, find_model
from .state.session import Message, Severity
from .transfer.layer_sample import LayerSampler
from .widgets.image_dialog import default_image_folder, open_image_dialog
from .widgets.panel import Panel


class ReferenceChooser(QtCore.QObject):
    """Adds what the painter chooses to the references of the document in front, and shows thumbnails of them.

    docker: what the dialog belongs to; with it this object ends, and every task.  choose: changes the choices of the document
    in front, as named, and shows them.
    """

    def __init__(self, docker: QtWidgets.QWidget, panel: Panel, controller: Controller, choose: Callable[..., Any]) -> None:
        super().__init__(docker)
        self._docker, self._panel, self._controller, self._choose = docker, panel, controller, choose
        self._sampler = LayerSampler(controller.app)
        panel.reference.changed.connect(self._change)
        panel.reference.dropped.connect(self._add_images)
        panel.reference_add.clicked.connect(self._show_menu)
        panel.reference_menu.file_wanted.connect(self._open_file_dialog)
        panel.reference_menu.images_chosen.connect(self._add_images)
        panel.reference_menu.layer_chosen.connect(self._add_layer)

    def show_thumbnails(self, document: Document, references: Iterable[Reference]) -> None:
        """Show what these references of a document look like, files as soon as they have been read."""
        for reference in references:
            is_layer = bool(reference.layer_id)
            self._start(self._show_layer(document, reference) if is_layer else self._load_thumbnail(reference))

    def show_bleached(self, document: Document, choices: DockerState) -> None:
        """Show the background reference as the model will see it, where it whitens the foreground."""
        threshold = bleaching_threshold(choices, find_model(self._controller.models.models, choices.model))
        background = background_reference(choices.used_references())
        if threshold is None or background is None:
            self._panel.reference.show_bleached({})
        else:
            self._panel.reference.show_bleached(self._controller.bleached.images(document, [background], threshold))

    def _change(self, references: List[Reference]) -> None:
        self._choose(references=tuple(references))

    def _show_menu(self) -> None:
        document = self._controller.app.active_document()
        layers = document.layers() if document is not None else []
        results = {layer.id for layer in layers if layer.is_result}
        offered = [(each.id, each.name) for each in layers if each.has_colors and each.parent not in results]  # results whole
        self._panel.reference_menu.open_below(self._panel.reference_add, offered)

    def _open_file_dialog(self) -> None:
        folder = self._controller.app.read_setting("folder", default_image_folder())
        open_image_dialog(self._docker, folder, self._on_files_chosen)

    def _on_files_chosen(self, names: List[str]) -> None:
        self._controller.app.write_setting("folder", str(Path(names[0]).parent))
        self._add_files([Path(name) for name in names])

    def _add_images(self, images: List[ImageSource]) -> None:
        files = [image for image in images if isinstance(image, Path)]
        if files:
            self._add_files(files)
        for image in images:
            if not isinstance(image, Path):
                self._start(self._save_and_add(image))

    async def _save_and_add(self, image: "Union[bytes, QtGui.QImage]") -> None:
        try:
            file = await in_thread(lambda: self._controller.clipboard_images.save(image))
        except LinewashError as error:
            document = self._controller.app.active_document()
            if document is not None:
                self._controller.session(document).reject(error)
                self._choose()
        else:
            self._add_files([file])

    def _add_layer(self, layer_id: str) -> None:
        self._add([Reference(layer_id=layer_id)])

    def _add_files(self, files: List[Path]) -> None:
        self._add([Reference(path=str(file)) for file in files])

    def _add(self, references: List[Reference]) -> None:
        document = self._controller.app.active_document()
        if document is None:
            return
        session = self._controller.session(document)
        sources = {reference.source for reference in session.choices.references}
        new = [reference for reference in references if reference.source not in sources]
        if len(sources) + len(new) > MAX_REFERENCES:
            session.message = Message.from_error(LinewashError(ErrorCode.TOO_MANY_REFERENCES))
            new = []
        elif session.message.severity is Severity.BAD:
            session.message = Message()
        self.show_thumbnails(document, new)
        self._choose(references=session.choices.references + tuple(new))

    async def _show_layer(self, document: Document, reference: Reference) -> None:
        image = await self._sampler.thumbnail(document, reference.layer_id)
        await pause()  # Krita may have handled events in there; if one of them closed the docker, this task ends here
        self._panel.reference.set_thumbnail(reference, image)

    async def _load_thumbnail(self, reference: Reference) -> None:
        try:
            image = await in_thread(lambda: file_thumbnail(Path(reference.path)))
        except LinewashError:
            return  # what is wrong with the file is said when it is used
        self._panel.reference.set_thumbnail(reference, image)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        """Start a task that ends with this docker: when its window closes, nothing may touch its widgets any more."""
        self._docker.destroyed.connect(self._controller.loop.start(work).cancel)
