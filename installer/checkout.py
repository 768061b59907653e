"""The folder that Linewash is installed from."""

from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
