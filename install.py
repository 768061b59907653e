#!/usr/bin/env python3
"""Linewash's installer: ``python3 install.py [install|demo|test|doctor|uninstall]``; ``--help`` tells the rest.

The work is done in ``installer/``.  This file stays readable to any Python, however old, so that it can say so.
"""

import sys

OLDEST = (3, 10)


def refusal(version):
    """Return the sentence for a Python that is too old (a version tuple), or None for one that will do."""
    if tuple(version[:2]) >= OLDEST:
        return None
    return (
        "Linewash needs Python 3.10 or newer, and this is Python %d.%d.\n"
        "Install a newer one from your system's packages or python.org and run it by its name, "
        "for example: python3.11 install.py" % tuple(version[:2])
    )


if refusal(sys.version_info):
    sys.exit(refusal(sys.version_info))

from installer.cli import main  # noqa: E402
from installer.krita.plugin import assemble_plugin  # noqa: E402

__all__ = ["assemble_plugin", "main", "refusal"]

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
