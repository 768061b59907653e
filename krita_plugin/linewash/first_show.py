"""Shows the docker once after the installation: since 5.2 Krita hides the dockers of new plugins."""

from .libkis import DockWidget
from .state.choices import SettingsStore

SETTING = "docker_shown"
"""In kritarc; not empty once the docker has shown itself in this profile."""


def show_once(docker: DockWidget, settings: SettingsStore) -> None:
    """Show the docker if it has never done so in this profile; after that the painter decides.

    Call it while a document is open: on the welcome page Krita would put the docker back to where it was saved.
    """
    if not settings.read_setting(SETTING, ""):
        settings.write_setting(SETTING, "yes")
        docker.show()
        docker.raise_()
