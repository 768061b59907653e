"""What can be wrong with the backend: each answered with its own sentence, the document untouched."""

import json
from contextlib import contextmanager
from pathlib import Path

import linewash
from linewash_driver.backend_processes import Impostor, server_file
from linewash_driver.docker_actions import arrange, close, color, refused
from linewash_driver.documents import drawing, results, snapshot

NOTED = Path(linewash.__file__).parent / "installation.json"


@contextmanager
def noted(**changes):
    """The installer's note with other values; none at all without any."""
    whole = NOTED.read_text()
    if changes:
        NOTED.write_text(json.dumps({**json.loads(whole), **changes}))
    else:
        NOTED.unlink()
    yield
    NOTED.write_text(whole)


def not_installed(painter):
    """The installer has never run."""
    return noted()


def backend_start(painter):
    """The backend's Python is there but ends at once."""
    return noted(python="/bin/false")


@contextmanager
def version_mismatch(painter):
    """Another version's backend runs."""
    other = {"product": "linewash", "version": "9.9.9", "protocol": 99, "pid": 1}
    impostor = Impostor(painter.parameters["home"], 200, other, {"protocol": 99, "version": "9.9.9"})
    yield
    impostor.close()


@contextmanager
def bad_token(painter):
    """The backend runs, but the key in its file is not its own."""
    file = server_file(painter.parameters["home"])
    whole = file.read_text()
    file.write_text(json.dumps({**json.loads(whole), "token": "x" * 43}))
    yield
    file.write_text(whole)


@contextmanager
def model_corrupt(painter):
    """One byte of the model is wrong."""
    model = Path(painter.parameters["home"]) / "models" / "mini"
    model.mkdir(parents=True)
    (model / "config.json").write_text("{}")
    (model / "SHA256SUMS").write_text("0" * 64 + "  config.json\n")
    yield
    for file in model.iterdir():
        file.unlink()
    model.rmdir()


def run(painter):
    given = painter.parameters
    yield from arrange(painter)
    document = yield from drawing(given["size"], given["lines"], given["reference"])
    yield from painter.menu("referenceAdd", "Reference")
    for case in (not_installed, backend_start, version_mismatch, model_corrupt, bad_token):
        before = snapshot(document)
        with case(painter):
            says = yield from refused(painter)
        painter.note(case.__name__, {"says": says, "before": before, "after": snapshot(document)})
        yield from painter.shot(case.__name__)
    yield from color(painter, document)
    painter.note("next", {"groups": len(results(document)), "says": painter.says()})
    yield from close(document)
