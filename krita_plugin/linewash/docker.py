"""The docker: shows the session of the document in front, and passes on what the painter does."""

# pyright: reportOptionalMemberAccess=false
# PyQt6 types nearly everything that Qt returns as Optional, also what is always there.

from pathlib import Path
from typing import Any, Callable, List, Optional, Tuple

from .controller import Controller
from .first_show import show_once
from .foreground_chooser import ForegroundChooser
from .krita_api.document import Document, Layer
from .krita_api.result_layers import LINES
from .libkis import Canvas, DockWidget
from .qt import QtCore
from .reference_chooser import ReferenceChooser
from .setup.backend_setup import BackendSetup
from .setup.setup_stack import SetupStack
from .shared.errors import ErrorCode, LinewashError
from .shared.model_spec import NO_VALUES
from .shared.protocol import Finish
from .shared.result_names import parse_seed
from .state.choices import DockerState, write_finish, write_model
from .state.model_choices import default_variation_label
from .state.session import CHOOSE_REFERENCE, GRAYSCALE, Message, Phase, Session
from .widgets.panel import AREAS, LINES_AS, Panel

REFRESH_MS = 400
"""Krita sends plugins no signal when layers come, go or get another name, so the docker polls."""

OPEN_DOCUMENT = Message("Open a line drawing to begin.")


class LinewashDocker(DockWidget):
    """The docker of one of Krita's windows."""

    def __init__(self, controller: Controller, setup: Optional[BackendSetup] = None) -> None:
        super().__init__()
        self.setWindowTitle("Linewash")
        self._controller = controller
        self._shown_session: Optional[int] = None
        self._is_refreshing = False
        self._no_document_message = OPEN_DOCUMENT
        panel = self._panel = Panel(controller.app.icon("addlayer"))
        self.setWidget(SetupStack(panel, setup))
        panel.lines.chosen.connect(lambda layer_id: self._choose(lines=layer_id))
        panel.lines_as.chosen.connect(lambda preparation: self._choose(lines_as=preparation))
        panel.finish.chosen.connect(self._choose_finish)
        panel.model.chosen.connect(self._choose_model)
        panel.model.opened.connect(controller.models.refresh_or_start)
        panel.mode.chosen.connect(lambda name: self._update_model_options(lambda choices: choices.with_options(mode=name)))
        panel.parameters.changed.connect(
            lambda *setting: self._update_model_options(lambda choices: choices.with_value(*setting))
        )
        panel.parameters.reset.connect(lambda: self._update_model_options(lambda state: state.with_options(values=NO_VALUES)))
        panel.hints.chosen.connect(lambda layer_id: self._choose(hints=layer_id))
        panel.area.chosen.connect(lambda area: self._choose(area=area))
        panel.variation.chosen.connect(lambda seed: self._choose(seed=seed))
        panel.another.clicked.connect(self._colorize_new_variation)
        panel.device.chosen.connect(controller.devices.choose)
        self._references = ReferenceChooser(self, panel, controller, self._choose)
        self._foreground = ForegroundChooser(self, panel, controller, self._choose)
        panel.colorize.clicked.connect(self._colorize)
        panel.cancel.clicked.connect(self._cancel)
        panel.unclaimed.bring_in.clicked.connect(self._import_result)
        panel.unclaimed.discard.clicked.connect(controller.unclaimed.discard_all)
        controller.changed.connect(self._on_changed)  # a method of this widget: Qt disconnects it when its window closes
        self._canvas_timer = QtCore.QTimer(self)
        self._canvas_timer.setSingleShot(True)
        self._canvas_timer.timeout.connect(self._on_canvas_changed)
        self._refresh_timer = QtCore.QTimer(self)
        self._refresh_timer.timeout.connect(self._refresh_if_visible)
        self._refresh_timer.start(REFRESH_MS)
        self.refresh()

    def canvasChanged(self, canvas: Optional[Canvas]) -> None:
        """Krita: the painter went to another document, or closed one."""
        self._canvas_timer.start(0)  # while Krita calls this, its active document is still the one before

    # -- what is shown -------------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show the state of the document in front."""
        if self._is_refreshing:  # Krita may handle events, and with them this docker's timers, before it answers
            return
        self._is_refreshing = True
        try:
            self._refresh()
        finally:
            self._is_refreshing = False

    def _refresh(self) -> None:
        document = self._document()
        if document is None:
            self._shown_session = None
            self._show_choices(DockerState(), [], [("", "No document is open")])
            self._foreground.show_image(None, "", False)
            self._show_run(None)
            return
        self._no_document_message = OPEN_DOCUMENT
        session, layers = self._controller.session(document), document.layers()
        session.choices = session.choices.without_deleted_layers({layer.id for layer in layers})
        if session.message == GRAYSCALE and not document.is_grayscale:
            session.message = CHOOSE_REFERENCE
        session.note_active_layer(layers, document.active_layer())
        line_layer = session.line_layer(layers, document.active_layer())
        name = next((layer.name for layer in layers if layer.id == line_layer), "none")
        automatic = ("", "Automatic: %s" % name if not session.choices.lines else "Automatic")
        drawings = [each for each in layers if not each.is_result or each.name == LINES or each.id == session.choices.lines]
        entries = [automatic] + [(each.id, each.name) for each in drawings if each.has_colors]
        self._show_choices(session.choices, layers, entries)
        self._foreground.show_image(document, line_layer, session.busy)
        self._references.show_bleached(document, session.choices)
        if self._shown_session != document.session_id:
            self._shown_session = document.session_id
            self._references.show_thumbnails(document, session.choices.references)
        self._show_run(session)

    def _on_changed(self, session_id: int) -> None:
        self.refresh()

    def _on_canvas_changed(self) -> None:
        if self._document() is not None:
            show_once(self, self._controller.app)
        self.refresh()

    def _refresh_if_visible(self) -> None:
        if self.isVisible():
            self.refresh()

    def _document(self) -> Optional[Document]:
        return self._controller.app.active_document()

    def _show_choices(self, choices: DockerState, layers: List[Layer], line_entries: List[Tuple[str, str]]) -> None:
        panel = self._panel
        panel.lines.show_entries(line_entries, choices.lines)
        panel.lines_as.show_entries(LINES_AS, choices.lines_as)
        names = {layer.id: layer.name for layer in layers}
        titles = [names.get(each.layer_id) or Path(each.path).name for each in choices.references]
        panel.reference.set_references(list(choices.references), titles)
        painted = [each for each in layers if (each.has_colors or each.has_key_strokes) and not each.is_result]
        panel.hints.show_entries([("", "None"), *((each.id, each.name) for each in painted)], choices.hints)
        self._foreground.show(choices, layers)
        panel.show_models(self._controller.models.models, self._controller.models.is_loading, choices)
        panel.area.show_entries(AREAS, choices.area)
        # Also variations of an earlier day are offered: their seeds are in the names of their groups.
        seeds_in_document = [parse_seed(each.name) for each in layers if each.is_result]
        seeds = [(seed, "Seed %d" % seed) for seed in dict.fromkeys([*choices.seeds, *seeds_in_document]) if seed]
        panel.variation.show_entries([(0, default_variation_label(choices)), *seeds], choices.seed)

    def _show_run(self, session: Optional[Session]) -> None:
        panel, busy = self._panel, session is not None and session.busy
        panel.colorize.setEnabled(not busy)
        panel.another.setEnabled(not busy)
        panel.cancel.setEnabled(session is not None and busy and session.phase is not Phase.WRITING)
        panel.progress.setVisible(busy)
        panel.show_devices(self._controller.devices.status, self._controller.is_busy)
        panel.unclaimed.show_jobs(self._controller.unclaimed.jobs if session is not None and not busy else ())
        if session is not None and busy:
            panel.progress.show_progress(session.progress)
            panel.status.say(Message(session.progress.text))
        elif self._controller.notice is not None:
            panel.status.say(self._controller.notice)
        elif session is not None:
            panel.status.say(session.status_message)
        else:
            panel.status.say(self._no_document_message)

    # -- what the painter does --------------------------------------------------------------------------------------------

    def _choose(self, **changes: Any) -> None:
        document = self._document()
        if document is not None:
            self._controller.session(document).choose(**changes)
            self.refresh()

    def _choose_finish(self, finish: Finish) -> None:
        write_finish(self._controller.app, finish)
        self._choose(finish=finish)

    def _choose_model(self, name: str) -> None:
        write_model(self._controller.app, name)
        self._choose(model=name)

    def _update_model_options(self, change: Callable[[DockerState], DockerState]) -> None:
        document = self._document()
        if document is not None:
            changed = change(self._controller.session(document).choices)
            self._choose(options_by_model=changed.options_by_model)

    def _colorize(self) -> None:
        self._controller.notice = None
        document = self._document()
        if document is not None:
            self._controller.colorize(document)
        else:
            self._no_document_message = Message.from_error(LinewashError(ErrorCode.NO_DOCUMENT))
            self.refresh()

    def _colorize_new_variation(self) -> None:
        document = self._document()
        session = self._controller.session(document) if document is not None else Session(DockerState())
        before = session.choices
        session.choices = before.new_variation()
        self._colorize()
        if not session.busy:
            session.choices = before  # something is missing, so nothing was tried
            self.refresh()

    def _cancel(self) -> None:
        document = self._document()
        if document is not None:
            self._controller.cancel(document)

    def _import_result(self) -> None:
        document = self._document()
        if document is not None:
            self._controller.import_result(document)
