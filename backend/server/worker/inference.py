"""What a worker does with one job: read the parts, run the pipeline, write the layers, and give every failure its name."""

import gc
import importlib
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

import cv2
import torch

from backend.contract.drawing import CancelledError, Inputs, PreviousResult, ResultLayers, StepProgress
from backend.contract.family import AnyColorModel
from backend.families.common_parameters import resolve_parameters
from backend.families.runtime.file_stamp import Stamp, file_stamp
from backend.imaging import png
from backend.imaging.types import Gray, Rgba
from backend.pipeline.run import colorize
from backend.server.store import write_result
from backend.server.worker.messages import Event, JobCancelled, JobDone, JobFailed, Progress, RunJob
from shared.errors import ErrorCode, LinewashError, is_disk_full
from shared.model_spec import ModelInfo
from shared.protocol import (
    LAYER_BACKGROUND,
    LAYER_COMPOSITE,
    LAYER_FOREGROUND,
    LAYER_LINES,
    ColorizeRequest,
)
from shared.request_parts import RequestParts
from shared.stages import Stage

_NO_MEMORY = ("can't allocate memory", "not enough memory", "Insufficient memory")
"""How torch ("DefaultCPUAllocator: ...") and OpenCV (cv::Error::StsNoMem) say it, neither with a class of its own."""
_log = logging.getLogger(__name__)


class Registry(Protocol):
    """The part of ``backend.families.registry`` a worker uses."""

    def models(self, models_dir: Path) -> list[ModelInfo]:
        """Every system and whether its files are there."""
        ...

    def files(self, name: str, models_dir: Path) -> tuple[Path, ...]:
        """Files that the model is made of and that may be replaced while it is loaded; () when there are none."""
        ...

    def load(self, name: str, models_dir: Path, device: str) -> AnyColorModel:
        """The model of that name, ready to color on that device."""
        ...


@dataclass(frozen=True)
class _Loaded:
    """A model and what its files were when it was read."""

    family: AnyColorModel
    files: tuple[Path, ...]
    stamp: Stamp


class InferenceRunner:
    """Models by name, and the way a job takes through one of them.

    The preloaded model stays; of the others, which may fill the memory, the last one used does.  One whose files have changed
    is read anew.
    """

    def __init__(self, registry: str, models: Path, threads: int, device: str) -> None:
        torch.set_num_threads(threads)
        cv2.setNumThreads(threads)
        self._registry = cast(Registry, importlib.import_module(registry))
        self._models, self._device, self._loaded, self._pinned_model = models, device, dict[str, _Loaded](), ""

    def models(self) -> tuple[ModelInfo, ...]:
        """Every system of the registry and whether its files are there."""
        return tuple(self._registry.models(self._models))

    def preload(self, name: str) -> str:
        """Load a model before it is asked for; answers why not, '' when all is well.  The job that wants it gets the error."""
        self._pinned_model = name
        try:
            if name:
                self._family(name)
        except Exception as error:  # noqa: BLE001  whatever a model file makes go wrong, the worker must still start
            problem = to_failed("", error)
            return "%s: %s" % (problem.code.value, problem.detail)
        return ""

    def run(
        self, run: RunJob, cancelled: Callable[[str], bool], send: Callable[[Event], None]
    ) -> JobDone | JobFailed | JobCancelled:
        """Color one job; sends ``Progress`` on the way and checks for a cancel with each."""

        def on_step(step: StepProgress) -> None:
            if cancelled(run.job):
                raise CancelledError
            preview = None if step.preview is None else png.encode(step.preview)
            send(Progress(run.job, step.stage, step.step, step.steps, preview))

        try:
            started = time.monotonic()
            family = self._family(run.request.model)
            resolve_parameters(family.spec, run.request)  # refused before any picture is read
            inputs = read_inputs(run.folder, run.request)
            read = time.monotonic()
            result = colorize(inputs, family, on_step)
            on_step(StepProgress(Stage.LAYERS, 1, 1))
            saving = time.monotonic()
            pictures = encode_layers(result.layers)
            seconds = {"read": read - started, **result.seconds, "encode": time.monotonic() - saving}
            write_result(run.folder, pictures, result.warnings, seconds)
        except CancelledError:
            return JobCancelled(run.job)
        except Exception as error:  # noqa: BLE001  whatever goes wrong in a picture fails this job alone
            return to_failed(run.job, error)
        return JobDone(run.job)

    def _family(self, name: str) -> AnyColorModel:
        if name not in self._loaded or file_stamp(self._loaded[name].files) != self._loaded[name].stamp:
            for other in self._loaded.keys() - ({self._pinned_model} - {name}):
                del self._loaded[other]
            gc.collect()
            files = self._registry.files(name, self._models)
            before = file_stamp(files)  # what changes while it is read is noticed next time
            self._loaded[name] = _Loaded(self._registry.load(name, self._models, self._device), files, before)
        return self._loaded[name].family


def read_inputs(folder: Path, request: ColorizeRequest) -> Inputs:
    """Decode the parts that ``upload`` has received into ``folder``.  Raises LinewashError BAD_IMAGE."""
    parts = RequestParts.collect(request, lambda name: folder / "inputs" / (name + ".png"))

    def gray(path: Path | None) -> Gray | None:
        return None if path is None else png.decode_gray(path.read_bytes())

    def rgba(path: Path | None) -> Rgba | None:
        return None if path is None else png.decode_rgba(path.read_bytes())

    before = (rgba(parts.previous_foreground), rgba(parts.previous_background))
    return Inputs(
        request=request,
        lines=png.decode_rgba(parts.lines.read_bytes()),
        references=tuple(png.decode_rgba(path.read_bytes()) for path in parts.references),
        foreground=gray(parts.foreground),
        hints=rgba(parts.hints),
        selection=gray(parts.selection_mask),
        previous=PreviousResult(before[0], before[1]) if before[0] is not None and before[1] is not None else None,
    )


def encode_layers(layers: ResultLayers) -> dict[str, bytes]:
    """PNG of every layer by its name, compressed side by side."""
    pictures = {
        LAYER_FOREGROUND: layers.foreground,
        LAYER_BACKGROUND: layers.background,
        LAYER_COMPOSITE: layers.composite,
    }
    if layers.lines is not None:
        pictures[LAYER_LINES] = layers.lines
    with ThreadPoolExecutor() as pool:
        return dict(zip(pictures, pool.map(png.encode, pictures.values()), strict=True))


def to_failed(job: str, error: Exception) -> JobFailed:
    """The row of the error table an exception belongs to; the traceback goes to the log."""
    if isinstance(error, LinewashError):
        return JobFailed(job, error.code, error.detail)
    _log.error("job %s failed", job, exc_info=error)
    detail = "%s: %s" % (type(error).__name__, error)
    if is_disk_full(error):
        return JobFailed(job, ErrorCode.DISK_FULL, detail)
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)) or any(text in str(error) for text in _NO_MEMORY):
        return JobFailed(job, ErrorCode.OUT_OF_MEMORY, detail)
    return JobFailed(job, ErrorCode.INTERNAL, detail)
