"""The docker: shows the session of the picture in front, and passes on what the painter does."""

# pyright: reportOptionalMemberAccess=false
# PyQt6 types nearly everything that Qt returns as Optional, also what is always there.

from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, List, Optional, Tuple, Union

from .controller import Controller
from .images.clipboard import ImageSource, clipboard, has_images, images_in
from .images.thumbnails import file_thumbnail, layer_thumbnail
from .krita_api.document import Document, Layer
from .krita_api.libkis import Canvas, DockWidget
from .krita_api.result_layers import LINES
from .qt import QtCore, QtWidgets
from .shared.errors import ErrorCode, LinewashError
from .shared.model_spec import NO_VALUES
from .shared.protocol import MAX_REFERENCES
from .shared.result_names import parse_seed
from .state.choices import Area, DockerState, ForegroundChoice, Reference, write_finish, write_model
from .state.model_choices import default_variation_label
from .state.session import GRAY, READY, Message, Phase, Session, Severity
from .widgets.panel import FOREGROUNDS, LINES_AS, MODES, RECOLORING_FOREGROUNDS, Panel

REFRESH_MS = 400
"""Krita tells plugins nothing about layers that come, go or get another name, so the docker looks."""

NO_PICTURE = Message("Open a line drawing to begin.")
FILE_FILTER = "Pictures (*.png *.jpg *.jpeg *.webp *.bmp *.tif *.tiff *.gif);;All files (*)"


class LinewashDocker(DockWidget):
    """One for each of Krita's windows."""

    def __init__(self, studio: Controller) -> None:
        super().__init__()
        self.setWindowTitle("Linewash")
        self._studio = studio
        self._shown: Optional[int] = None
        self._blank = NO_PICTURE
        panel = self._panel = Panel(studio.host.icon("addlayer"))
        self.setWidget(panel)
        panel.lines.chosen.connect(lambda layer_id: self._choose(lines=layer_id))
        panel.lines_as.chosen.connect(lambda way: self._choose(lines_as=way))
        panel.foreground.chosen.connect(lambda kind: self._choose(foreground=kind))
        panel.foreground_layer.chosen.connect(lambda layer_id: self._choose(foreground_layer=layer_id))
        panel.finish.chosen.connect(self._finish)
        panel.model.chosen.connect(self._model)
        panel.model.opened.connect(studio.models.refresh_or_start)
        panel.method.chosen.connect(lambda name: self._of_model(lambda choices: choices.of_model(mode=name)))
        panel.parameters.changed.connect(lambda *pair: self._of_model(lambda choices: choices.with_value(*pair)))
        panel.parameters.reset.connect(lambda: self._of_model(lambda choices: choices.of_model(values=NO_VALUES)))
        panel.hints.chosen.connect(lambda layer_id: self._choose(hints=layer_id))
        panel.mode.chosen.connect(lambda mode: self._choose(mode=mode))
        panel.variation.chosen.connect(lambda seed: self._choose(seed=seed))
        panel.another.clicked.connect(self._another)
        panel.reference.changed.connect(lambda references: self._choose(references=tuple(references)))
        panel.reference.dropped.connect(self._take)
        panel.reference_add.clicked.connect(self._offer_references)
        panel.color.clicked.connect(self._color)
        panel.cancel.clicked.connect(self._cancel)
        panel.waiting.bring.clicked.connect(self._bring)
        panel.waiting.discard.clicked.connect(studio.waiting.discard_all)
        studio.changed.connect(self._changed)  # a method of this widget, so that Qt disconnects it when its window closes
        self._soon = QtCore.QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self.refresh)
        self._timer = QtCore.QTimer(self)
        self._timer.timeout.connect(self._look)
        self._timer.start(REFRESH_MS)
        self.refresh()

    def canvasChanged(self, canvas: Optional[Canvas]) -> None:
        """Krita: the painter went to another picture, or closed one."""
        self._soon.start(0)  # while it calls this, Krita still names the picture before

    def refresh(self) -> None:
        """Show how things are."""
        picture = self._picture()
        if picture is None:
            self._shown = None
            self._show_choices(DockerState(), [], [("", "No picture is open")])
            self._show_run(None)
            return
        self._blank = NO_PICTURE
        session, layers = self._studio.session(picture), picture.layers()
        self._forget_lost(session, layers)
        if session.message == GRAY and not picture.is_grayscale:
            session.message = READY
        session.note_active_layer(picture.active_layer())
        line_layer = session.line_layer(layers, picture.active_layer())
        lines = next((layer.name for layer in layers if layer.id == line_layer), "none")
        first = ("", "Automatic: %s" % lines if not session.choices.lines else "Automatic")
        drawings = [each for each in layers if not each.is_result or each.name == LINES or each.id == session.choices.lines]
        entries = [first] + [(each.id, each.name) for each in drawings if each.is_picture]
        self._show_choices(session.choices, layers, entries)
        if self._shown != picture.key:
            self._shown = picture.key
            for reference in session.choices.references:
                self._thumbnail(picture, reference)
        self._show_run(session)

    def _changed(self, key: int) -> None:
        self.refresh()

    def _look(self) -> None:
        if self.isVisible():
            self.refresh()

    def _picture(self) -> Optional[Document]:
        return self._studio.host.active()

    def _show_choices(self, choices: DockerState, layers: List[Layer], line_entries: List[Tuple[str, str]]) -> None:
        panel = self._panel
        names = {layer.id: layer.name for layer in layers}
        panel.lines.show_entries(line_entries, choices.lines)
        panel.lines_as.show_entries(LINES_AS, choices.lines_as)
        shown = [names.get(each.layer_id) or Path(each.path).name for each in choices.references]
        panel.reference.set_references(list(choices.references), shown)
        paint = [(each.id, each.name) for each in layers if each.is_picture and not each.is_result]
        panel.hints.show_entries([("", "None"), *paint], choices.hints)
        recolors = choices.mode is Area.SELECTION
        panel.foreground.show_entries(RECOLORING_FOREGROUNDS if recolors else FOREGROUNDS, choices.figure)
        wants = choices.figure.wants_layer
        panel.foreground_layer.setVisible(wants)
        if wants:
            masks = choices.foreground is ForegroundChoice.MASK
            usable = [(each.id, each.name) for each in layers if each.is_picture or (masks and each.is_mask)]
            panel.foreground_layer.show_entries([("", "Choose a layer…")] + usable, choices.foreground_layer)
        panel.show_model(self._studio.models, choices)
        panel.mode.show_entries(MODES, choices.mode)
        kept = [parse_seed(each.name) for each in layers if each.is_result]  # also of an earlier day: they are in the picture
        tried = [(seed, "Seed %d" % seed) for seed in dict.fromkeys([*choices.seeds, *kept]) if seed]
        panel.variation.show_entries([(0, default_variation_label(choices)), *tried], choices.seed)

    def _show_run(self, session: Optional[Session]) -> None:
        panel, busy = self._panel, session is not None and session.busy
        panel.color.setEnabled(not busy)
        panel.another.setEnabled(not busy)
        panel.cancel.setEnabled(session is not None and busy and session.phase is not Phase.WRITING)
        panel.progress.setVisible(busy)
        panel.waiting.show_jobs(self._studio.waiting.jobs if session is not None and not busy else ())
        if session is not None and busy:
            panel.progress.show_progress(session.progress)
            panel.status.say(Message(session.progress.text))
        elif self._studio.notice is not None:
            panel.status.say(self._studio.notice)
        elif session is not None:
            panel.status.say(session.status_message)
        else:
            panel.status.say(self._blank)

    def _choose(self, **changes: Any) -> None:
        picture = self._picture()
        if picture is not None:
            self._studio.session(picture).choose(**changes)
            self.refresh()

    def _finish(self, finish: Any) -> None:
        write_finish(self._studio.host, finish)
        self._choose(finish=finish)

    def _model(self, name: str) -> None:
        write_model(self._studio.host, name)
        self._choose(model=name)

    def _of_model(self, change: Callable[[DockerState], Any]) -> None:
        picture = self._picture()
        if picture is not None:
            self._choose(by_model=change(self._studio.session(picture).choices))

    def _color(self) -> None:
        self._studio.notice = None
        picture = self._picture()
        if picture is not None:
            self._studio.color(picture)
        else:
            self._blank = Message.from_error(LinewashError(ErrorCode.NO_DOCUMENT))
            self.refresh()

    def _another(self) -> None:
        picture = self._picture()
        session = self._studio.session(picture) if picture is not None else Session(DockerState())
        before = session.choices
        session.choices = before.new_variation()
        self._color()
        if not session.busy:
            session.choices = before  # something is missing, so nothing was tried
            self.refresh()

    def _cancel(self) -> None:
        picture = self._picture()
        if picture is not None:
            self._studio.cancel(picture)

    def _bring(self) -> None:
        picture = self._picture()
        if picture is not None:
            self._studio.import_result(picture)

    def _forget_lost(self, session: Session, layers: List[Layer]) -> None:
        """Drop choices whose layer was deleted."""
        ids, choices = {layer.id for layer in layers} | {""}, session.choices
        references = tuple(each for each in choices.references if each.layer_id in ids)
        lines = choices.lines if choices.lines in ids else ""
        mask = choices.foreground_layer if choices.foreground_layer in ids else ""
        hints = choices.hints if choices.hints in ids else ""
        kept = replace(choices, references=references, lines=lines, foreground_layer=mask, hints=hints)
        if kept != choices:
            session.choices = kept

    def _offer_references(self) -> None:
        menu, button, picture = self._panel.reference_menu, self._panel.reference_add, self._picture()
        menu.clear()
        menu.addAction("Picture file…").triggered.connect(self._ask_file)
        paste = menu.addAction("From the clipboard")
        paste.setEnabled(has_images(clipboard()))
        paste.triggered.connect(lambda _=False: self._take(images_in(clipboard())))
        menu.addSeparator()
        menu.addAction("Layers of this picture").setEnabled(False)  # a section's title would be cut, and look like a layer
        layers = picture.layers() if picture is not None else []
        results = {layer.id for layer in layers if layer.is_result}
        for layer in layers:
            if layer.is_picture and layer.parent not in results:  # a result is one thing here
                action = menu.addAction(layer.name.replace("&", "&&"))
                action.triggered.connect(lambda _=False, layer_id=layer.id: self._add([Reference(layer_id=layer_id)]))
        menu.popup(button.mapToGlobal(button.rect().bottomLeft()))  # not exec(), as with the dialog below

    def _ask_file(self) -> None:
        pictures = QtCore.QStandardPaths.writableLocation(QtCore.QStandardPaths.StandardLocation.PicturesLocation)
        folder = self._studio.host.read_setting("folder", pictures)
        dialog = QtWidgets.QFileDialog(self, "Add a reference picture", folder, FILE_FILTER)
        dialog.setFileMode(QtWidgets.QFileDialog.FileMode.ExistingFiles)
        dialog.setAttribute(QtCore.Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.filesSelected.connect(self._files_chosen)
        dialog.open()  # and not exec(): Krita holds its own layer signals back while a dialog loops

    def _files_chosen(self, names: List[str]) -> None:
        self._studio.host.write_setting("folder", str(Path(names[0]).parent))
        self._add_files([Path(name) for name in names])

    def _take(self, pictures: List[ImageSource]) -> None:
        files = [each for each in pictures if isinstance(each, Path)]
        if files:
            self._add_files(files)
        for each in pictures:
            if not isinstance(each, Path):
                self._studio.run_in_background(lambda given=each: self._studio.pasted.save(given), self._pasted)

    def _pasted(self, kept: Union[Path, LinewashError]) -> None:
        picture = self._picture()
        if isinstance(kept, Path):
            self._add_files([kept])
        elif picture is not None:
            self._studio.session(picture).reject(kept)
            self.refresh()

    def _add_files(self, files: List[Path]) -> None:
        self._add([Reference(path=str(file)) for file in files])

    def _add(self, added: List[Reference]) -> None:
        picture = self._picture()
        if picture is None:
            return
        session = self._studio.session(picture)
        known = {(each.layer_id, each.path) for each in session.choices.references}
        new = [each for each in added if (each.layer_id, each.path) not in known]
        if len(known) + len(new) > MAX_REFERENCES:
            session.message = Message.from_error(LinewashError(ErrorCode.TOO_MANY_REFERENCES))
            new = []
        elif session.message.tone is Severity.BAD:
            session.message = Message()
        for reference in new:
            self._thumbnail(picture, reference)
        self._choose(references=session.choices.references + tuple(new))

    def _thumbnail(self, picture: Document, reference: Reference) -> None:
        row = self._panel.reference
        if reference.layer_id:
            row.set_picture((reference, layer_thumbnail(picture, reference.layer_id)))
        else:
            self._studio.run_in_background(lambda: (reference, file_thumbnail(Path(reference.path))), row.set_picture)
