"""Errors about the coloring program: its start, set-up, requests, jobs and devices."""

from typing import Dict

from .codes import ErrorCode, ErrorText

PROGRAM_ERRORS: Dict[ErrorCode, ErrorText] = {
    ErrorCode.BAD_REQUEST: ErrorText(
        "The coloring program did not understand the request.", "Run install.py again so that the two match.", 400
    ),
    ErrorCode.REQUEST_TOO_LARGE: ErrorText("The images are too large to send.", "Use a smaller reference.", 413),
    ErrorCode.NOT_INSTALLED: ErrorText(
        "Linewash's coloring program is not installed.", "Press Set Up, or run python3 install.py.", 503
    ),
    ErrorCode.BACKEND_START: ErrorText(
        "Linewash's coloring program did not start.", "Run python3 install.py doctor; it says what is wrong.", 503
    ),
    ErrorCode.FLATPAK_CLOSED: ErrorText(
        "Krita's sandbox (Flatpak) keeps Linewash from starting its coloring program.",
        "Run flatpak override --user --talk-name=org.freedesktop.Flatpak {detail} in a terminal, then restart Krita.",
        503,
    ),
    ErrorCode.SNAP_CLOSED: ErrorText(
        "Krita's sandbox (Snap) keeps Linewash from starting its coloring program.",
        "Set Linewash up from the docker of its release, or use Krita as AppImage or from your system's packages.",
        503,
    ),
    ErrorCode.BACKEND_GONE: ErrorText(
        "The coloring program stopped before it finished.", "Press Colorize again; Linewash restarts it.", 503
    ),
    ErrorCode.VERSION_MISMATCH: ErrorText(
        "The docker and the coloring program have different versions.", "Run install.py again, then restart Krita.", 426
    ),
    ErrorCode.BAD_TOKEN: ErrorText(
        "The coloring program did not accept this Krita's key.",
        "Restart Krita; if that does not help, run install.py again.",
        401,
    ),
    ErrorCode.FORBIDDEN_HOST: ErrorText("The coloring program answers on this computer only.", "Connect to 127.0.0.1.", 421),
    ErrorCode.FORBIDDEN_ORIGIN: ErrorText("The coloring program does not answer web pages.", "Use the Krita docker.", 403),
    ErrorCode.QUEUE_FULL: ErrorText("Too many jobs are waiting.", "Wait until one is finished, or cancel one.", 429),
    ErrorCode.JOB_UNKNOWN: ErrorText("That result is no longer available.", "Press Colorize again.", 404),
    ErrorCode.JOB_NOT_DONE: ErrorText("The result is not finished yet.", "Wait until it is done.", 409),
    ErrorCode.IDEMPOTENCY_CONFLICT: ErrorText(
        "The same request was sent twice with different images.", "Press Colorize again.", 409
    ),
    ErrorCode.DISK_FULL: ErrorText("The disk is full.", "Free some space, then try again.", 507),
    ErrorCode.OUT_OF_MEMORY: ErrorText("There was not enough memory.", "Close other programs or use a smaller canvas.", 507),
    ErrorCode.DEVICE_UNAVAILABLE: ErrorText("That device cannot be chosen now.", "Choose another one in Runs on.", 409),
    ErrorCode.WORKER_CRASHED: ErrorText("The coloring process crashed.", "Press Colorize again; no layer was touched.", 500),
    ErrorCode.INTERRUPTED: ErrorText("The coloring program was stopped before it finished.", "Press Colorize again.", 500),
    ErrorCode.SETUP_NO_PYTHON: ErrorText(
        "Linewash found no Python to run with.", "Go online, or install Python 3.12 with venv; then try again.", 503
    ),
    ErrorCode.SETUP_BUSY: ErrorText("A drawing is still being colored.", "Wait until it is finished, then try again.", 503),
    ErrorCode.BACKEND_STAYS: ErrorText(
        "The coloring program that runs now does not end.", "Restart the computer, then try again.", 503
    ),
    ErrorCode.SETUP_FAILED: ErrorText("The set-up did not start.", "Try again, or import the newest release.", 500),
    ErrorCode.INTERNAL: ErrorText(
        "Something went wrong inside Linewash.", "Run python3 install.py doctor and report what it prints.", 500
    ),
}
