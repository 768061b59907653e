"""Krita plugin that runs one scenario inside Krita and writes down what it saw.

A scenario is a file with ``run(painter)``, a generator: ``yield 0.5`` hands over to Krita's own event loop for half a second.
It must never wait in a nested loop or in a blocking call, for Krita holds its layer signals back inside one and the tests
measure how long the window stalls.  It only drives and records; the judging is done by pytest outside.
"""

import json
import os
import sys

if "LINEWASH_SCENARIO" in os.environ:
    import faulthandler

    from krita import Krita

    from .play import Play
    from .qt import QTimer

    faulthandler.enable()  # a crash leaves the Python line in krita.log
    play = Play(json.loads(os.environ["LINEWASH_SCENARIO"]))
    sys.excepthook = play.uncaught
    notifier = Krita.instance().notifier()
    notifier.setActive(True)
    notifier.windowCreated.connect(lambda: QTimer.singleShot(700, play.begin))
