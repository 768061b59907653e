"""The words on the set-up page for each situation; plain values, no widgets."""

import re
from dataclasses import dataclass, field
from typing import List, Optional, Sequence

from ..shared.setup_progress import PROCESSOR_OPTION, SetupPhase, SetupProgress, SetupTask
from ..state.session import Message, Severity
from .situation import SetupSnapshot, Situation

LEAST_BYTES = 200_000_000
"""With less than this free, a set-up that was cut off is taken to have filled the disk."""
EXPLANATION = (
    "Linewash colors your drawings with a program of its own on this computer, which is downloaded once. "
    "After that it needs no network, and nothing you draw leaves the computer."
)
_PATH = re.compile(r" (to )?\S*[/\\]\S+")
NOUNS = {SetupTask.INSTALL: "set-up", SetupTask.REPAIR: "repair", SetupTask.REMOVE: "removal"}
TITLES = {
    SetupTask.INSTALL: ("Setting up Linewash", "Linewash could not be set up"),
    SetupTask.REPAIR: ("Repairing Linewash", "Linewash could not be repaired"),
    SetupTask.REMOVE: ("Removing Linewash", "Linewash could not be removed"),
}
"""While it runs, and when it has failed."""
KEPT = "What has been downloaded is kept."
GOES_ON = "What has been downloaded is kept; Continue goes on from there."


@dataclass(frozen=True)
class PageText:
    """What the page says and offers."""

    title: str
    body: str
    button: str
    """Of what goes on; '' = none."""
    message: Message = field(default_factory=Message)
    """In color: what is wrong."""
    other_button: str = ""
    """Of the way past this page; '' = none."""
    offers_processor: bool = False
    """Whether that way is a set-up for the processor."""


def page_text(snapshot: SetupSnapshot, version: str, home: str, can_postpone: bool) -> PageText:
    """The page for ``snapshot``.

    version: the plugin's.  home: the folder of the painter's data.  can_postpone: whether an installed program can be used
    meanwhile.
    """
    progress, back = snapshot.progress, "Back" if can_postpone else ""
    is_removal, noun = snapshot.task is SetupTask.REMOVE, NOUNS[snapshot.task]
    if snapshot.situation is Situation.ABSENT:
        body = "%s\n\n%s" % (EXPLANATION, size_text(snapshot.cards, snapshot.free_bytes))
        return PageText("Set up Linewash", body, "Set Up", room_message(snapshot.cards, snapshot.free_bytes))
    if snapshot.situation is Situation.REMOVED:
        body = (
            "The coloring program is gone; your own files are still in %s.\n\nTo remove this docker as well, untick Linewash "
            "under Settings > Configure Krita > Python Plugin Manager." % home
        )
        return PageText("Linewash is removed", body, "Set Up")
    if snapshot.situation is Situation.OUTDATED:
        old = snapshot.program.version if snapshot.program is not None else ""
        body = "This docker is version %s, its coloring program still %s. Only what has changed is downloaded." % (version, old)
        return PageText("Update Linewash", body, "Update", other_button="Not Now" if can_postpone else "")
    if snapshot.situation is Situation.PAUSED:
        return PageText("The %s is paused" % noun, GOES_ON, "Continue", other_button=back)
    if snapshot.situation is Situation.INTERRUPTED:
        message = Message()
        if snapshot.free_bytes is not None and snapshot.free_bytes < LEAST_BYTES:
            message = Message("The disk is full.", "Free some space, then press Continue.", Severity.BAD)
        body = "It ended before it was done. " + ("" if is_removal else GOES_ON)
        return PageText("The %s was cut off" % noun, body, "Continue", message, back)
    if snapshot.situation is Situation.FAILED:
        message, body = Message("The %s failed." % noun, "Press Try Again.", Severity.BAD), "" if is_removal else KEPT
        offers_processor = False
        if progress is not None and progress.error:
            offers_processor = PROCESSOR_OPTION in progress.hint and not can_postpone
            hint = hint_text(progress.hint, offers_processor)
            message, body = Message(progress.error, hint, Severity.BAD), ""  # the hint says what is kept
        other = "Use Processor" if offers_processor else back
        return PageText(TITLES[snapshot.task][1], body, "Try Again", message, other, offers_processor)
    body = "You can go on drawing. Should Krita end meanwhile, the next start goes on here."
    return PageText(TITLES[snapshot.task][0], body, "" if is_removal else "Pause")


def size_text(cards: Sequence[str], free_bytes: Optional[int]) -> str:
    """What is downloaded and how much room it takes, before anything has been asked of the network."""
    if cards:
        size = "Found: %s. Up to 3 GB are downloaded, and up to 9 GB of disk space are needed" % ", ".join(cards)
    else:
        size = "Found: no graphics card; the processor colors. About 0.4 GB is downloaded, and 3 GB of disk space are needed"
    if free_bytes is None:
        return size + "."
    if free_bytes < 1e9:
        return size + "; %.0f MB are free." % (free_bytes / 1e6)
    return size + ("; %.1f GB are free." if free_bytes < 1e10 else "; %.0f GB are free.") % (free_bytes / 1e9)


def room_message(cards: Sequence[str], free_bytes: Optional[int]) -> Message:
    """A warning where there is not enough room; the installer, which knows the sizes, has the last word."""
    if free_bytes is None or free_bytes >= needed_bytes(cards):
        return Message()
    return Message("There may be too little room on the disk.", "Free some space first.", Severity.BAD)


def needed_bytes(cards: Sequence[str]) -> int:
    """Disk space that a set-up takes at most."""
    return 9_000_000_000 if cards else 3_000_000_000


def hint_text(hint: str, offers_processor: bool = False) -> str:
    """What to do, in the docker's words: the installer's own are those of a terminal."""
    hint = hint.replace("start the installer again", "press Try Again")
    way = ", or press Use Processor: it colors as well, only more slowly" if offers_processor else ""
    return hint.replace(", or " + PROCESSOR_OPTION, way)


def sentence_text(progress: Optional[SetupProgress]) -> str:
    """What the installer does now, without the paths that it prints in a terminal."""
    return _PATH.sub("", progress.sentence) if progress is not None else ""


def progress_text(progress: Optional[SetupProgress]) -> str:
    """Megabytes and time under the bar: ``120 of 389 MB, 34 s left``; '' where there is nothing to count."""
    if progress is None or progress.fraction is None:
        return ""
    unit, name = (1e9, "GB") if progress.total_bytes >= 10**9 else (1e6, "MB")
    numbers = "%.1f of %.1f %s" if name == "GB" else "%.0f of %.0f %s"
    parts: List[str] = [numbers % (progress.done_bytes / unit, progress.total_bytes / unit, name)]
    seconds = progress.seconds_left if progress.phase is SetupPhase.DOWNLOAD else None
    if seconds is not None:
        parts.append("%.0f s left" % seconds if seconds < 100 else "%.0f min left" % (seconds / 60))
    return ", ".join(parts)
