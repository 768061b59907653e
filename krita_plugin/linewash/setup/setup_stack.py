"""The docker's content: the set-up page while the backend is not there, else the painter's rows."""

from typing import Optional

from ..qt import QtWidgets
from ..shared.setup_progress import SetupTask
from ..widgets.panel import Panel
from .backend_setup import BackendSetup
from .setup_menu import SetupMenu
from .setup_page import SetupPage
from .situation import Situation


class SetupStack(QtWidgets.QStackedWidget):
    """Shows one of the two.  setup: None where the plugin came with no release; then the rows are all there is."""

    def __init__(self, panel: Panel, setup: Optional[BackendSetup]) -> None:
        super().__init__()
        self._panel, self._setup = panel, setup
        self.addWidget(panel)
        if setup is None:
            return
        self._page, self._menu = SetupPage(), SetupMenu()
        self.addWidget(self._page)
        panel.add_button(self._menu)
        self._page.pressed.connect(self._go_on)
        self._page.passed.connect(setup.pass_by)
        self._menu.chosen.connect(self._start)
        panel.colorize.clicked.connect(self._look)  # the backend may have been removed by other means
        setup.changed.connect(self._refresh)  # a method of this widget: Qt disconnects it when its window closes
        self._refresh()

    def _refresh(self) -> None:
        setup = self._setup
        if setup is None:
            return
        snapshot = setup.snapshot
        self._menu.offer_update(snapshot is not None and snapshot.situation is Situation.OUTDATED)
        if setup.needs_page:
            self._page.show_text(setup.page, setup.is_pausing)
            shows_bar = snapshot is not None and snapshot.situation in (Situation.RUNNING, Situation.PAUSED)
            self._page.show_progress(snapshot.progress if snapshot is not None and shows_bar else None, setup.is_busy)
            self.setCurrentWidget(self._page)
        else:
            self.setCurrentWidget(self._panel)

    def _go_on(self) -> None:
        setup = self._setup
        if setup is not None and setup.is_busy:
            setup.pause()
        elif setup is not None:
            setup.go_on()

    def _start(self, task: SetupTask) -> None:
        if self._setup is not None:
            self._setup.start(task)

    def _look(self) -> None:
        if self._setup is not None:
            self._setup.look()
