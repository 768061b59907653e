"""What a user can mend is said in a sentence, without a traceback."""

from collections.abc import Generator
from contextlib import contextmanager

import typer

from shared.errors import LinewashError


@contextmanager
def cli_errors(*kinds: type[Exception]) -> Generator[None]:
    """End the command with the sentences of a LinewashError and what it is about, or the words of an error of ``kinds``."""
    try:
        yield
    except LinewashError as error:
        raise typer.BadParameter(f"{error.message} {error.hint} ({error.detail})") from error
    except kinds as error:
        raise typer.BadParameter(_own_words(str(error))) from error


def _own_words(text: str) -> str:
    """An error of a process that makes batches comes with its traceback before it."""
    return text.strip().splitlines()[-1].partition("Error: ")[2] if "Traceback (most recent" in text else text
