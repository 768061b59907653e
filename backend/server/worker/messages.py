"""The messages on the pipe between the server and a worker.  All are frozen and small."""

from dataclasses import dataclass
from pathlib import Path

from shared.devices.device_status import DeviceReport
from shared.errors import ErrorCode
from shared.model_spec import ModelInfo
from shared.protocol import ColorizeRequest
from shared.stages import Stage


@dataclass(frozen=True)
class RunJob:
    """Server to worker: color the inputs in ``folder`` and write the layers there."""

    job: str
    """The job's id."""
    folder: Path
    """The job's folder."""
    request: ColorizeRequest


@dataclass(frozen=True)
class BleachReference:
    """Server to worker: whiten the foreground of the PNG ``source`` and write it to ``target``."""

    id: str
    """What ``ReferenceBleached`` calls it."""
    source: Path
    target: Path
    threshold: float
    """Mask value, 0..1, from which a pixel is foreground."""


@dataclass(frozen=True)
class Cancel:
    """Server to worker: stop this job at its next step."""

    job: str
    """The job's id."""


@dataclass(frozen=True)
class ListModels:
    """Server to worker: list the models again.  ``ModelsListed`` comes back, even while a job runs."""


@dataclass(frozen=True)
class ModelsListed:
    """Worker to server: the models in the registry.  The first of these also means that torch is imported."""

    models: tuple[ModelInfo, ...]


@dataclass(frozen=True)
class DevicesFound:
    """Worker to server: what can compute and what does.  It comes first, and again when the device has failed."""

    report: DeviceReport


@dataclass(frozen=True)
class Ready:
    """Worker to server: the worker waits for jobs, and the model of ``Settings.preload`` was loaded."""

    model: str
    """Name of that model."""
    problem: str
    """Why it could not be loaded; '' when it was."""


@dataclass(frozen=True)
class Progress:
    """Worker to server: a stage began or a step ended."""

    job: str
    """The job's id."""
    stage: Stage
    step: int
    """Steps of this stage that have ended."""
    steps: int
    """All steps of this stage."""
    preview: bytes | None
    """PNG of at most 256 px a side, or None."""


@dataclass(frozen=True)
class ReferenceBleached:
    """Worker to server: a reference is bleached, or cannot be."""

    id: str
    code: ErrorCode | None = None
    """Why it cannot; None when it is done."""
    detail: str = ""
    """``LinewashError.detail``."""


@dataclass(frozen=True)
class JobDone:
    """Worker to server: the complete result is in the job's folder."""

    job: str
    """The job's id."""


@dataclass(frozen=True)
class JobFailed:
    """Worker to server: the job ended with an error."""

    job: str
    """The job's id."""
    code: ErrorCode
    detail: str
    """``LinewashError.detail``."""


@dataclass(frozen=True)
class JobCancelled:
    """Worker to server: the job was cancelled."""

    job: str
    """The job's id."""


@dataclass(frozen=True)
class Log:
    """Worker to server: a line for the log."""

    level: int
    """As in ``logging``."""
    name: str
    """Name of the logger."""
    text: str
    """One line, without time."""


@dataclass(frozen=True)
class WorkerExited:
    """The worker has ended.  Never sent: the server makes it when the pipe closes."""

    code: int | None
    """The exit code; negative for a signal; None when the process could not be started."""


Command = RunJob | BleachReference | Cancel | ListModels
Event = (
    ModelsListed | DevicesFound | Ready | Progress | ReferenceBleached | JobDone | JobFailed | JobCancelled | Log | WorkerExited
)
