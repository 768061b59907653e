"""Errors that a user can do something about end a command with a sentence, without a traceback."""

from collections.abc import Generator
from contextlib import contextmanager

import typer

from shared.errors import LinewashError


@contextmanager
def cli_errors(*kinds: type[Exception]) -> Generator[None]:
    """Turn errors into typer's BadParameter.

    Of a LinewashError its message, hint and detail are shown, of an error of ``kinds`` its text.
    """
    try:
        yield
    except LinewashError as error:
        raise typer.BadParameter(f"{error.message} {error.hint} ({error.detail})") from error
    except kinds as error:
        raise typer.BadParameter(_without_traceback(str(error))) from error


def _without_traceback(text: str) -> str:
    """The message alone: an error of a process that makes batches comes as the text of its traceback."""
    return text.strip().splitlines()[-1].partition("Error: ")[2] if "Traceback (most recent" in text else text
