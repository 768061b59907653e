"""Runs one job: read the parts, run the pipeline, write the layers, turn every exception into an error code."""

import gc
import importlib
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, cast

import cv2
import torch

from backend.contract.drawing import CancelledError, Inputs, PreviousResult, ProgressCallback, ResultLayers, StepProgress
from backend.contract.family import AnyColorModel
from backend.families.common_parameters import resolve_parameters
from backend.families.runtime.file_stamp import Stamp, file_stamp
from backend.imaging import png
from backend.imaging.types import Gray, Rgba
from backend.pipeline.reference_bleaching import bleach_reference
from backend.pipeline.run import colorize
from backend.server.store import write_result
from backend.server.worker.messages import (
    BleachReference,
    DevicesFound,
    Event,
    JobCancelled,
    JobDone,
    JobFailed,
    Progress,
    ReferenceBleached,
    RunJob,
)
from shared.devices.device_status import PROCESSOR, DeviceReport, NumberFormat, card_failed, find_title
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

_NO_MEMORY = ("can't allocate memory", "not enough memory", "Insufficient memory", "out of memory")
"""Texts by which torch ("DefaultCPUAllocator: ...", "MPS backend out of memory") and OpenCV report that memory is full.

Neither has an exception class for it.
"""
DEFAULT_MODEL = ColorizeRequest(0, 0, ()).model
"""Comes with the program, so it is always there."""
_log = logging.getLogger(__name__)


class Registry(Protocol):
    """The part of ``backend.families.registry`` that a worker uses."""

    def models(self, models_dir: Path) -> list[ModelInfo]:
        """Every model, and whether its files are there."""
        ...

    def files(self, name: str, models_dir: Path) -> tuple[Path, ...]:
        """Files of the model that may be replaced while it is loaded; () when there are none."""
        ...

    def report_devices(self, choice: str) -> DeviceReport:
        """What can compute, and what does, for a choice: ``auto`` or a device's name."""
        ...

    def load(self, name: str, models_dir: Path, device: str, number_format: NumberFormat) -> AnyColorModel:
        """The model of that name, ready to color on that device."""
        ...


@dataclass(frozen=True)
class _LoadedModel:
    """A model in memory."""

    family: AnyColorModel
    files: tuple[Path, ...]
    """The files it was read from."""
    stamp: Stamp
    """What the files were when they were read."""


class InferenceRunner:
    """Keeps models in memory and runs jobs with them.

    The preloaded model stays in memory.  Of the others, which may be large, only the last one used stays.  A model whose files
    have changed is loaded again.  When a graphics card fails, everything is loaded again onto the processor, and whoever waits
    for a result gets it from there, with a sentence that says so.
    """

    def __init__(
        self, registry: str, models: Path, threads: int, number_format: NumberFormat, send: Callable[[Event], None]
    ) -> None:
        torch.set_num_threads(threads)
        cv2.setNumThreads(threads)
        self._registry = cast(Registry, importlib.import_module(registry))
        self._models, self._number_format, self._send = models, number_format, send
        self._loaded, self._pinned_model = dict[str, _LoadedModel](), ""
        self._devices = DeviceReport((), PROCESSOR)

    def use_device(self, choice: str, failed: DeviceReport | None = None) -> None:
        """Compute on the device of this choice (``auto`` or a name), or as ``failed`` says; sends ``DevicesFound``."""
        self._devices = failed or self._registry.report_devices(choice)
        _log.info("device: %s (chosen: %s) %s", self._devices.used, choice, self._devices.problem)
        self._send(DevicesFound(self._devices))

    def models(self) -> tuple[ModelInfo, ...]:
        """Every model of the registry, and whether its files are there."""
        return tuple(self._registry.models(self._models))

    def preload(self, name: str) -> str:
        """Load a model and keep it.  Returns why that failed, '' when it did not; a job that needs the model gets the error."""
        self._pinned_model = name
        try:
            if name:
                self._with_processor_as_reserve(lambda: self._family(name))
        except Exception as error:  # noqa: BLE001  the worker must start whatever is wrong with a model file
            problem = job_failure("", error)
            return "%s: %s" % (problem.code.value, problem.detail)
        return ""

    def run(self, command: RunJob, cancelled: Callable[[str], bool]) -> JobDone | JobFailed | JobCancelled:
        """Color one job.  Sends ``Progress`` at each step, and stops there when the job was cancelled."""

        def on_step(step: StepProgress) -> None:
            if cancelled(command.job):
                raise CancelledError
            preview = None if step.preview is None else png.encode(step.preview)
            self._send(Progress(command.job, step.stage, step.step, step.steps, preview))

        try:
            self._with_processor_as_reserve(lambda: self._color(command, on_step))
        except CancelledError:
            return JobCancelled(command.job)
        except Exception as error:  # noqa: BLE001  an error fails this job alone, and the worker goes on
            return job_failure(command.job, error)
        return JobDone(command.job)

    def bleach(self, command: BleachReference) -> ReferenceBleached:
        """Whiten the foreground of a reference.  The preloaded model finds it: all models' masks come from one segmenter."""
        try:
            self._with_processor_as_reserve(lambda: self._bleach(command))
        except Exception as error:  # noqa: BLE001  an error fails this image alone
            failure = job_failure("", error)
            return ReferenceBleached(command.id, failure.code, failure.detail)
        return ReferenceBleached(command.id)

    def _bleach(self, command: BleachReference) -> None:
        rgba = png.decode_rgba(command.source.read_bytes())
        family = self._family(self._pinned_model or DEFAULT_MODEL)
        command.target.write_bytes(png.encode(bleach_reference(rgba, family, command.threshold)))

    def _color(self, command: RunJob, on_step: ProgressCallback) -> None:
        """Color a job and write its result."""
        start = time.monotonic()
        family = self._family(command.request.model)
        resolve_parameters(family.spec, command.request)  # bad parameters are refused before any image is decoded
        inputs = read_inputs(command.folder, command.request)
        read_end = time.monotonic()
        result = colorize(inputs, family, on_step)
        on_step(StepProgress(Stage.LAYERS, 1, 1))
        encode_start = time.monotonic()
        layers = encode_layers(result.layers)
        seconds = {"read": read_end - start, **result.seconds, "encode": time.monotonic() - encode_start}
        warnings = (*result.warnings, self._devices.problem) if self._devices.problem else result.warnings
        write_result(command.folder, layers, warnings, seconds)

    def _with_processor_as_reserve(self, work: Callable[[], Any]) -> None:
        """Do the work; if the device fails at it, do it again on the processor, which is used from then on.

        Drivers have no exception of their own for a card that is gone or broken, so every RuntimeError counts but full memory.
        """
        try:
            work()
            return
        except RuntimeError as error:  # torch's own errors are of this kind, also what a device cannot compute
            if self._devices.used == PROCESSOR or is_out_of_memory(error):
                raise
            _log.exception("device %s has failed", self._devices.used)
            title = find_title(self._devices.devices, self._devices.used)
        self._loaded.clear()  # outside the handler, whose traceback holds the networks
        gc.collect()
        before = self._devices
        self._devices = replace(before, used=PROCESSOR, problem=card_failed(title))
        try:
            work()
        except Exception as error:
            # What fails on the processor as well is no failure of the card, if that still computes.
            if isinstance(error, CancelledError) or not self._registry.report_devices(before.used).problem:
                self._devices = before
                self._loaded.clear()
            raise
        finally:
            self._send(DevicesFound(self._devices))

    def _family(self, name: str) -> AnyColorModel:
        if name not in self._loaded or file_stamp(self._loaded[name].files) != self._loaded[name].stamp:
            # Free memory first: two large models may not fit together.
            for other in self._loaded.keys() - ({self._pinned_model} - {name}):
                del self._loaded[other]
            gc.collect()
            files = self._registry.files(name, self._models)
            before = file_stamp(files)  # taken before reading, so that a change while reading is noticed next time
            family = self._registry.load(name, self._models, self._devices.used, self._number_format)
            self._loaded[name] = _LoadedModel(family, files, before)
        return self._loaded[name].family


def read_inputs(folder: Path, request: ColorizeRequest) -> Inputs:
    """Decode the parts that ``upload`` has received into ``folder``.  Raises LinewashError BAD_IMAGE."""
    parts = RequestParts.collect(request, lambda name: folder / "inputs" / (name + ".png"))

    def gray(path: Path | None) -> Gray | None:
        return None if path is None else png.decode_gray(path.read_bytes())

    def rgba(path: Path | None) -> Rgba | None:
        return None if path is None else png.decode_rgba(path.read_bytes())

    foreground, background = rgba(parts.previous_foreground), rgba(parts.previous_background)
    previous = PreviousResult(foreground, background) if foreground is not None and background is not None else None
    return Inputs(
        request=request,
        lines=png.decode_rgba(parts.lines.read_bytes()),
        references=tuple(png.decode_rgba(path.read_bytes()) for path in parts.references),
        foreground=gray(parts.foreground),
        hints=rgba(parts.hints),
        selection=gray(parts.selection_mask),
        previous=previous,
    )


def encode_layers(layers: ResultLayers) -> dict[str, bytes]:
    """PNG of every layer by its name, compressed in parallel."""
    images = {
        LAYER_FOREGROUND: layers.foreground,
        LAYER_BACKGROUND: layers.background,
        LAYER_COMPOSITE: layers.composite,
    }
    if layers.lines is not None:
        images[LAYER_LINES] = layers.lines
    with ThreadPoolExecutor() as pool:
        return dict(zip(images, pool.map(png.encode, images.values()), strict=True))


def job_failure(job: str, error: Exception) -> JobFailed:
    """The event for an exception, with its error code.  The traceback goes to the log."""
    if isinstance(error, LinewashError):
        return JobFailed(job, error.code, error.detail)
    _log.error("job %s failed", job, exc_info=error)
    detail = "%s: %s" % (type(error).__name__, error)
    if is_disk_full(error):
        return JobFailed(job, ErrorCode.DISK_FULL, detail)
    if is_out_of_memory(error):
        return JobFailed(job, ErrorCode.OUT_OF_MEMORY, detail)
    return JobFailed(job, ErrorCode.INTERNAL, detail)


def is_out_of_memory(error: Exception) -> bool:
    """Whether an exception says that main memory, or a graphics card's, is full."""
    return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or any(text in str(error) for text in _NO_MEMORY)
