"""One document's state: what the painter chose, what runs, what to say.  No widgets, no threads, no Krita."""

from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, FrozenSet, Mapping, Optional, Sequence, Tuple

from ..krita_api.document import Layer
from ..krita_api.hidden_results import HiddenResults
from ..qt import QtGui
from ..shared.errors import LinewashError
from ..shared.protocol import JobStatus
from ..shared.stages import Stage
from .choices import DockerState

_RECENT_LAYERS = 4
"""How many of the layers that the painter worked on last are remembered."""


class Phase(Enum):
    """What goes on with a document.  Idle, then through the other three in this order, and back."""

    IDLE = "idle"
    CAPTURING = "capturing"
    WORKING = "working"
    WRITING = "writing"


class Severity(Enum):
    """How a message is meant."""

    QUIET = "quiet"
    GOOD = "good"
    BAD = "bad"


@dataclass(frozen=True)
class Message:
    """What the status line says."""

    text: str = ""
    hint: str = ""
    """What the painter can do."""
    severity: Severity = Severity.QUIET
    detail: str = ""
    """For the tooltip."""

    @staticmethod
    def from_error(error: LinewashError) -> "Message":
        """The sentences of an error."""
        return Message(error.message, error.hint, Severity.BAD, error.detail)


@dataclass(frozen=True)
class Progress:
    """How far a run is."""

    text: str = ""
    fraction: Optional[float] = None
    """0..1, None where it is not known."""
    preview: "Optional[QtGui.QImage]" = None
    """The newest preview, or None."""


CHOOSE_REFERENCE = Message("Choose lines and a reference, then press Colorize.")
PRESS_COLORIZE = Message("Press Colorize.")
GRAYSCALE = Message(
    "This document is grayscale, so its colors will be gray.",
    "Convert it with Image > Convert Image Color Space… to RGB first.",
    Severity.BAD,
)
"""A scan is often opened as a grayscale document, in which Krita shows every layer gray."""


class Session:
    """The state of one document.

    A run begins with ``begin`` and ends with exactly one of ``fail``, ``finish`` and ``cancel``.  Each run has a number, and
    whatever arrives from an earlier run is ignored: a cancelled run's late result changes nothing.
    """

    def __init__(self, choices: DockerState, message: Message = CHOOSE_REFERENCE) -> None:
        self.choices = choices
        self.last_lines = ""
        """Id of the line layer of the last run."""
        self._recent_layers: Tuple[str, ...] = ()
        self._former_hints: FrozenSet[str] = frozenset()
        self.hidden_results = HiddenResults()
        self.phase = Phase.IDLE
        self.progress = Progress()
        self.message = message
        """What happened last."""
        self._rejection = Message()
        self.run = 0
        """The number of the last run."""

    @property
    def busy(self) -> bool:
        """Whether a run is going on."""
        return self.phase is not Phase.IDLE

    @property
    def status_message(self) -> Message:
        """What there is to say while nothing runs: what happened last, else what comes next."""
        if self.message not in (CHOOSE_REFERENCE, Message()):
            return self.message
        return PRESS_COLORIZE if self.choices.used_references() else CHOOSE_REFERENCE

    def line_layer(self, layers: Sequence[Layer], active: str) -> str:
        """Id of the layer to color: the one the painter chose, else the active one; '' when there is none to take.

        On a mask it is the layer the mask belongs to.  In a result it is the line layer of the run before, so that a painter
        who looks at the new layers can press Colorize again.  On an auxiliary layer (hints, also those of an earlier run, the
        foreground mask, a reference) it is that one, too, or else the layer the painter worked on before.
        """
        by_id = {layer.id: layer for layer in layers}
        if self.choices.lines:
            return self.choices.lines if self.choices.lines in by_id else ""
        layer = _layer_at(active, by_id)
        auxiliary = self._auxiliary_layers()
        if layer is not None and layer.is_result:
            layer = by_id.get(self.last_lines)
        elif layer is not None and layer.id in auxiliary:
            recent = [by_id[layer_id] for layer_id in (self.last_lines, *self._recent_layers) if layer_id in by_id]
            usable = [each for each in recent if each.has_colors and not each.is_result and each.id not in auxiliary]
            # Without any other layer an auxiliary one is colored, but never hints: they are no drawing.
            layer = next(iter(usable), None if layer.id == self.choices.hints else layer)
        return layer.id if layer is not None else ""

    def choose(self, **changes: Any) -> None:
        """The painter chooses something else, and what the choices before lacked is not said any more."""
        choices = replace(self.choices, **changes)
        if choices != self.choices and self.message is self._rejection:
            self.message = Message()
        self.choices = choices

    def _auxiliary_layers(self) -> FrozenSet[str]:
        """Ids of the layers that are there for something else than their lines."""
        masks = {mask.layer_id for mask in self.choices.foreground_masks}
        references = {reference.layer_id for reference in self.choices.references}
        return self._former_hints | masks | {self.choices.hints} | references

    def note_active_layer(self, layers: Sequence[Layer], active: str) -> None:
        """The painter works on this layer just now, or on this mask of a layer."""
        layer = _layer_at(active, {each.id: each for each in layers})
        if layer is not None and layer.id not in self._recent_layers[:1]:
            others = [layer_id for layer_id in self._recent_layers if layer_id != layer.id]
            self._recent_layers = (layer.id, *others[: _RECENT_LAYERS - 1])

    def begin(self) -> int:
        """Start a run; return its number."""
        if self.busy:
            raise ValueError("a run is going on already")
        self.run += 1
        self._former_hints |= {self.choices.hints}
        self.phase, self.message = Phase.CAPTURING, Message()
        self.progress = Progress("Reading the layers…")
        return self.run

    def is_current(self, run: int) -> bool:
        """Whether this run is the one that is going on."""
        return self.busy and run == self.run

    def advance(self, run: int, phase: Phase, text: str) -> bool:
        """The run reached a phase.  False when it is not going on any more."""
        if not self.is_current(run):
            return False
        self.phase, self.progress = phase, replace(self.progress, text=text)
        return True

    def report(self, run: int, progress: Progress) -> bool:
        """The run made progress.  A missing preview keeps the one before.  False when it is not going on any more."""
        if not self.is_current(run):
            return False
        self.progress = replace(progress, preview=progress.preview or self.progress.preview)
        return True

    def fail(self, run: int, error: LinewashError) -> bool:
        """The run ended with an error.  False when it had ended before."""
        return self._end(run, Message.from_error(error))

    def finish(self, run: int, message: Message) -> bool:
        """The run ended well.  False when it had ended before."""
        return self._end(run, message)

    def cancel(self, run: int) -> bool:
        """The painter does not want the run any more.  False when it had ended before."""
        return self._end(run, Message("Cancelled.", "Nothing was changed."))

    def reject(self, error: LinewashError) -> None:
        """Say why no run was begun."""
        self.message = self._rejection = Message.from_error(error)

    def _end(self, run: int, message: Message) -> bool:
        if not self.is_current(run):
            return False
        self.phase, self.progress, self.message = Phase.IDLE, Progress(), message
        return True


def _layer_at(node_id: str, by_id: Mapping[str, Layer]) -> Optional[Layer]:
    """The layer of that id; of a mask, the layer it lies on; None when there is none."""
    layer = by_id.get(node_id)
    while layer is not None and not layer.has_colors:
        layer = by_id.get(layer.parent)
    return layer


STAGES = {
    Stage.PREPARE.value: "Reading the lines…",
    Stage.CONDITION.value: "Looking at the reference…",
    Stage.DENOISE.value: "Coloring…",
    Stage.DECODE.value: "Mixing the colors…",
    Stage.LAYERS.value: "Laying the colors under the lines…",
}


def describe_progress(status: JobStatus) -> str:
    """What a running job does, for the painter."""
    if not status.stage:
        return "Waiting for the model…"
    text = STAGES.get(status.stage, "Coloring…")
    if status.stage == Stage.DENOISE.value and status.steps:
        return "%s step %d of %d" % (text, status.step, status.steps)
    return text
