"""Everything about a server that can be set, by argument or by an environment variable ``LINEWASH_...``."""

import os
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.paths import default_home, models_dir
from shared.protocol import MAX_PART_BYTES, MAX_QUEUED, MAX_REQUEST_BYTES


class Settings(BaseSettings):
    """Frozen; a server is started with one of these and keeps it.

    registry: dotted name of the module that lists and loads models (``families``, ``load``).  preload: the model a worker
    loads before it is asked to; '' = none.  threads: compute threads of all workers together; 0 = ``OMP_NUM_THREADS``, else
    one for each core.  keep_days, keep_bytes: how long and how much unfetched work is kept.  cancel_grace_s: a worker
    that has not obeyed a cancel after so long is ended.
    """

    model_config = SettingsConfigDict(env_prefix="LINEWASH_", frozen=True, extra="forbid")

    home: Path = Field(default_factory=default_home)
    port: int = Field(default=0, ge=0, le=65535)
    idle_minutes: float = Field(default=30.0, gt=0)
    devices: tuple[str, ...] = Field(default=("cpu",), min_length=1)
    threads: int = Field(default=0, ge=0)
    registry: str = "backend.families.registry"
    preload: str = "mini"
    max_queued: int = Field(default=MAX_QUEUED, ge=1)
    max_part_bytes: int = Field(default=MAX_PART_BYTES, ge=1)
    max_request_bytes: int = Field(default=MAX_REQUEST_BYTES, ge=1)
    keep_days: float = Field(default=7.0, gt=0)
    keep_bytes: int = Field(default=4 * 1024**3, ge=0)
    cancel_grace_s: float = Field(default=30.0, gt=0)

    @property
    def models(self) -> Path:
        """Folder of models the user added."""
        return models_dir(self.home)

    @property
    def threads_per_worker(self) -> int:
        """Compute threads of one worker, at least 1."""
        total = self.threads or int(os.environ.get("OMP_NUM_THREADS") or usable_cores())
        return max(1, total // len(self.devices))


def usable_cores() -> int:
    """Cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
