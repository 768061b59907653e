"""What travels over the pipe between the server and a worker; all frozen, all small."""

from dataclasses import dataclass
from pathlib import Path

from shared.errors import ErrorCode
from shared.model_spec import ModelInfo
from shared.protocol import ColorizeRequest
from shared.stages import Stage


@dataclass(frozen=True)
class RunJob:
    """Server to worker: color the inputs in ``folder`` and put the layers there."""

    job: str
    folder: Path
    request: ColorizeRequest


@dataclass(frozen=True)
class Cancel:
    """Server to worker: stop this job at its next step."""

    job: str


@dataclass(frozen=True)
class ListModels:
    """Server to worker: say once more which models are there; answered by ``ModelsListed`` even while a job runs."""


@dataclass(frozen=True)
class ModelsListed:
    """Worker to server: torch is imported, and these models are there."""

    models: tuple[ModelInfo, ...]


@dataclass(frozen=True)
class Ready:
    """Worker to server: the model named in the settings is loaded, or why not ('' = it is)."""

    model: str
    problem: str


@dataclass(frozen=True)
class Progress:
    """Worker to server: a stage began or a step ended; ``preview`` is a PNG of at most 256 px, or None."""

    job: str
    stage: Stage
    step: int
    steps: int
    preview: bytes | None


@dataclass(frozen=True)
class JobDone:
    """Worker to server: the result lies in the job's folder, whole."""

    job: str


@dataclass(frozen=True)
class JobFailed:
    """Worker to server: the job ended with an error."""

    job: str
    code: ErrorCode
    detail: str


@dataclass(frozen=True)
class JobCancelled:
    """Worker to server: the job was cancelled."""

    job: str


@dataclass(frozen=True)
class Log:
    """Worker to server: a line for the log."""

    level: int
    name: str
    text: str


@dataclass(frozen=True)
class WorkerExited:
    """Not sent: what the server makes of the closed pipe.  ``code`` is the exit code, negative for a signal."""

    code: int | None


Command = RunJob | Cancel | ListModels
Event = ModelsListed | Ready | Progress | JobDone | JobFailed | JobCancelled | Log | WorkerExited
