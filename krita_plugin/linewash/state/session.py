"""One picture's state: what the painter chose, what runs, what to say.  No widgets, no threads, no Krita."""

from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, FrozenSet, Optional, Sequence, Tuple

from ..krita_api.document import Layer
from ..krita_api.hidden_results import HiddenResults
from ..shared.errors import LinewashError
from ..shared.protocol import JobStatus
from ..shared.stages import Stage
from .choices import DockerState

_REMEMBERED = 4
"""Layers the painter has worked on, as far as they may be asked for."""


class Phase(Enum):
    """What goes on with a picture.  Idle, then through the other three in this order, and back."""

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
    """What the status line says; ``hint`` is what the painter can do, ``detail`` is for a tooltip."""

    text: str = ""
    hint: str = ""
    tone: Severity = Severity.QUIET
    detail: str = ""

    @staticmethod
    def from_error(error: LinewashError) -> "Message":
        """The sentences of an error."""
        return Message(error.message, error.hint, Severity.BAD, error.detail)


@dataclass(frozen=True)
class Progress:
    """How far a run is: 0..1 (None: not known), in words, and the newest step preview as an image (or None)."""

    text: str = ""
    fraction: Optional[float] = None
    preview: Any = None


READY = Message("Choose lines and a reference, then press Color.")
CHOSEN = Message("Press Color.")
GRAY = Message(
    "This picture is grayscale, so its colors will be gray.",
    "Convert it with Image > Convert Image Color Space… to RGB first.",
    Severity.BAD,
)
"""A scan is often opened as a grayscale document, in which Krita shows every layer gray."""


class Session:
    """The state of one picture.

    A run begins with ``begin`` and ends with exactly one of ``fail``, ``finish`` and ``cancel``.  Each run has a number, and
    whatever arrives from an earlier run is ignored: a cancelled run's late answer changes nothing.
    """

    def __init__(self, choices: DockerState, message: Message = READY) -> None:
        self.choices = choices
        self.last_lines = ""
        self._worked_on: Tuple[str, ...] = ()
        self._were_hints: FrozenSet[str] = frozenset()
        self.covers = HiddenResults()
        self.phase = Phase.IDLE
        self.progress = Progress()
        self.message = message
        self._refusal = Message()
        self.run = 0

    @property
    def busy(self) -> bool:
        """Whether a run is going on."""
        return self.phase is not Phase.IDLE

    @property
    def status_message(self) -> Message:
        """What there is to say while nothing runs: what happened last, else what comes next."""
        if self.message not in (READY, Message()):
            return self.message
        return CHOSEN if self.choices.used_references() else READY

    def line_layer(self, layers: Sequence[Layer], active: str) -> str:
        """Id of the layer to color: the one the painter chose, else the active one; '' when there is none to take.

        On a mask it is the layer the mask belongs to.  In a result it is the line layer of the run before, so that a painter
        who looks at the new layers can press Color again.  On a layer that is there for something else (hints, also those of
        an earlier run, the foreground, a reference) it is that one, too, or else the layer the painter worked on before.
        """
        by_id = {layer.id: layer for layer in layers}
        if self.choices.lines:
            return self.choices.lines if self.choices.lines in by_id else ""
        layer = by_id.get(active)
        while layer is not None and not layer.is_picture:
            layer = by_id.get(layer.parent)
        if layer is not None and layer.is_result:
            layer = by_id.get(self.last_lines)
        elif layer is not None and layer.id in self._auxiliary_layers():
            before = [by_id[each] for each in (self.last_lines, *self._worked_on) if each in by_id]
            lines = [
                each for each in before if each.is_picture and not each.is_result and each.id not in self._auxiliary_layers()
            ]
            layer = next(iter(lines), None if layer.id == self.choices.hints else layer)
        return layer.id if layer is not None else ""

    def choose(self, **changes: Any) -> None:
        """The painter chooses something else, and what the choices before lacked is not said any more."""
        chosen = replace(self.choices, **changes)
        if chosen != self.choices and self.message is self._refusal:
            self.message = Message()
        self.choices = chosen

    def _auxiliary_layers(self) -> FrozenSet[str]:
        """Ids of the layers that are there for something else than their lines."""
        mask = {self.choices.foreground_layer} if self.choices.figure.wants_layer else set()
        return self._were_hints | mask | {self.choices.hints} | {each.layer_id for each in self.choices.references}

    def note_active_layer(self, active: str) -> None:
        """The painter works on this layer just now."""
        if active not in self._worked_on[:1]:
            self._worked_on = (active,) + tuple(each for each in self._worked_on[: _REMEMBERED - 1] if each != active)

    def begin(self) -> int:
        """Start a run; return its number."""
        if self.busy:
            raise ValueError("a run is going on already")
        self.run += 1
        self._were_hints |= {self.choices.hints}
        self.phase, self.message = Phase.CAPTURING, Message()
        self.progress = Progress("Reading the layers…")
        return self.run

    def current(self, run: int) -> bool:
        """Whether this run is the one that is going on."""
        return self.busy and run == self.run

    def advance(self, run: int, phase: Phase, text: str) -> bool:
        """The run reached a phase.  False when it is not going on any more."""
        if not self.current(run):
            return False
        self.phase, self.progress = phase, replace(self.progress, text=text)
        return True

    def report(self, run: int, progress: Progress) -> bool:
        """The run has news.  A missing preview keeps the one before."""
        if not self.current(run):
            return False
        self.progress = replace(progress, preview=progress.preview or self.progress.preview)
        return True

    def fail(self, run: int, error: LinewashError) -> bool:
        """The run ended with an error."""
        return self._end(run, Message.from_error(error))

    def finish(self, run: int, message: Message) -> bool:
        """The run ended well."""
        return self._end(run, message)

    def cancel(self, run: int) -> bool:
        """The painter does not want the run any more."""
        return self._end(run, Message("Cancelled.", "Nothing was changed."))

    def reject(self, error: LinewashError) -> None:
        """Say why no run was begun."""
        self.message = self._refusal = Message.from_error(error)

    def _end(self, run: int, message: Message) -> bool:
        if not self.current(run):
            return False
        self.phase, self.progress, self.message = Phase.IDLE, Progress(), message
        return True


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
