"""The settings of a server, by argument or by an environment variable ``LINEWASH_...``."""

import os
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from shared.devices.device_status import NumberFormat
from shared.paths import default_home, models_dir
from shared.protocol import MAX_PART_BYTES, MAX_QUEUED, MAX_REQUEST_BYTES


class Settings(BaseSettings):
    """What a server is started with; it never changes."""

    model_config = SettingsConfigDict(env_prefix="LINEWASH_", frozen=True, extra="forbid")

    home: Path = Field(default_factory=default_home)
    """Folder of the painter's data."""
    port: int = Field(default=0, ge=0, le=65535)
    """Port on 127.0.0.1; 0 = a free one."""
    idle_minutes: float = Field(default=30.0, gt=0)
    """The server ends after so long without a request or a job."""
    devices: Annotated[tuple[str, ...], NoDecode] = ()
    """One worker for each, as torch names them, or ``auto`` (``LINEWASH_DEVICES=cuda:0,cuda:1``); () = as the painter chose."""
    number_format: NumberFormat = NumberFormat.AUTOMATIC
    """Of the large networks; automatic = what ``settings.json`` says, else what suits the device."""
    threads: int = Field(default=0, ge=0)
    """Compute threads of all workers together; 0 = ``OMP_NUM_THREADS``, else one per core."""
    registry: str = "backend.families.registry"
    """Dotted name of the module that lists and loads models, see ``worker.inference.Registry``."""
    preload: str = "mini"
    """The model that a worker loads when it starts; '' = none."""
    max_queued: int = Field(default=MAX_QUEUED, ge=1)
    """Most jobs that wait at a time."""
    max_part_bytes: int = Field(default=MAX_PART_BYTES, ge=1)
    max_request_bytes: int = Field(default=MAX_REQUEST_BYTES, ge=1)
    keep_days: float = Field(default=7.0, gt=0)
    """How long an unclaimed result is kept."""
    keep_bytes: int = Field(default=4 * 1024**3, ge=0)
    """How many bytes of unclaimed results are kept."""
    cancel_grace_s: float = Field(default=30.0, gt=0)
    """A worker that ignores a cancel for so long is killed."""

    @field_validator("devices", mode="before")
    @classmethod
    def _split_devices(cls, value: object) -> object:
        return tuple(name for name in (part.strip() for part in value.split(",")) if name) if isinstance(value, str) else value

    @property
    def models(self) -> Path:
        """Folder of models that the painter has added."""
        return models_dir(self.home)

    @property
    def threads_per_worker(self) -> int:
        """Compute threads of one worker, at least 1."""
        total = self.threads or int(os.environ.get("OMP_NUM_THREADS") or usable_cores())
        return max(1, total // max(1, len(self.devices)))


def usable_cores() -> int:
    """Number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
