"""The training commands, as somebody types them."""

from pathlib import Path

from typer.testing import CliRunner

from backend.training.cli import app
from tests.parity.golden import ANIME, golden


def options(part: str, faces: Path, run: Path, *more: str) -> list[str]:
    asked = [
        part,
        "--data",
        str(faces),
        "--run",
        str(run),
        "--start",
        str(golden(ANIME).sd),
        "--batch-size",
        "1",
        "--side",
        "16",
    ]
    return [*asked, "--number-format", "float32", "--threads", "1", "--device", "cpu", *more]


def trained(*asked: str) -> str:
    result = CliRunner().invoke(app, list(asked))
    assert result.exit_code == 0, result.output
    return result.output
