"""The same backends as the API tests."""

from tests.api.conftest import start

__all__ = ["start"]
