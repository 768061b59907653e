"""A profile with a release of tiny packages in it, and the index that they come from."""

import os
import sys
import uuid
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.install.set_up.package_index import PackageIndex, serve
from tests.krita.harness import backend, kritas, profile
from tests.krita.harness.art import Art
from tests.krita.harness.evidence import Evidence
from tests.krita.harness.krita import ScenarioFailed, watch
from tests.krita.harness.processes import CLEAN_PATH, end_marked
from tests.krita.harness.release_zip import TINY_WHEELS, import_zip, make_tiny_zip
from tests.krita.harness.scenario_player import ARTIFACTS, SWATCHES, keep

SIZE = (333, 257)
NOWHERE = "http://127.0.0.1:9"
"""Where nobody answers."""


@dataclass(frozen=True)
class TinySetUp:
    """One painter who sets Linewash up."""

    krita: kritas.Krita
    index: PackageIndex
    where: profile.Profile
    home: Path
    art: Art
    run: str
    prefix: tuple[str, ...] = ()
    """What starts Krita's command."""

    def play(
        self,
        scenario: str,
        name: str,
        given: Mapping[str, Any] | None = None,
        is_killed: bool = False,
        timeout_s: float = 400.0,
    ) -> Evidence:
        """Play a scenario; its images stay in ``artifacts/krita/NAME``.  is_killed: Krita does not live to its end."""
        out = self.where.root.parent / "out" / name
        files = {"size": SIZE, "lines": str(self.art.lines), "reference": str(self.art.reference)}
        places = {"home": str(self.home), "index": self.index.address, "nowhere": NOWHERE}
        command = (*self.prefix, *self._command())
        try:
            seen = watch(
                command, scenario, self.where, out, self.run, {**files, **places, **(given or {})}, self._settings(), timeout_s
            )
        finally:
            keep(out, ARTIFACTS / self.krita.folder / name)
        trouble = "" if is_killed and seen.result is None and seen.exit_code is not None else seen.trouble()
        if trouble:
            raise ScenarioFailed(f"{name}: {trouble}")
        return seen

    def _command(self) -> Sequence[str]:
        """What starts Krita; one in a root of its own sees this machine's Python and libraries as well."""
        kept = ":".join((sys.base_prefix, sys.prefix))
        return [f"{word}:{kept}" if word.startswith("KEEP=") else word for word in self.krita.command]

    def _settings(self) -> dict[str, str]:
        """The test's index and no other; a Python that is not Krita's, last in PATH."""
        return {
            **SWATCHES,
            "PATH": f"{CLEAN_PATH}:{sys.base_prefix}/bin",
            "PIP_INDEX_URL": self.index.simple,
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_RETRIES": "1",
            "LINEWASH_RETRY_PAUSE_S": "0.02",
            "HTTPS_PROXY": NOWHERE,
            "no_proxy": "127.0.0.1",
        }


@contextmanager
def tiny_set_up(krita: kritas.Krita, art: Art, root: Path, prefix: tuple[str, ...] = ()) -> Generator[TinySetUp]:
    """A fresh profile with the release imported, nothing set up; all that was started ends with it."""
    where = profile.create(root / "profile")
    import_zip(make_tiny_zip(root / "linewash.zip"), where)
    home, run = root / "profile" / "data" / "linewash", uuid.uuid4().hex
    with serve(PackageIndex(dict(TINY_WHEELS))) as index:
        try:
            yield TinySetUp(krita, index, where, home, art, run, prefix)
        finally:
            backend.end(home)
            end_marked(run)
