"""What the real-Krita tests need from the operating system, and the sentence shown where it is missing."""

import os
import shutil
from collections.abc import Mapping

from tests.krita.harness.processes import CLEAN_PATH

SCREEN = {"Xvfb": "xvfb", "import": "imagemagick"}
INSTALLED = {"krita": "krita", "xdotool": "xdotool", **SCREEN}
"""For the installed Krita: program -> the Debian package that holds it; ``import`` is ImageMagick's screenshot program."""
UNPACKING = {"apt-get": "apt", "dpkg-deb": "dpkg", "unshare": "util-linux", "flock": "util-linux", **SCREEN}
"""For one that is unpacked from the archive."""


def missing(programs: Mapping[str, str] = INSTALLED) -> str:
    """One sentence that says what to install, or '' when everything is there."""
    absent = [program for program in programs if shutil.which(program, path=CLEAN_PATH) is None]
    if not absent:
        return ""
    packages = " ".join(dict.fromkeys(programs[program] for program in absent))
    return f"The tests in the real Krita need {', '.join(absent)}; on Debian or Ubuntu: sudo apt install {packages}"


def required() -> bool:
    """Whether a missing Krita is a failure (``install.py test --require-krita``) and not a reason to skip."""
    return os.environ.get("LINEWASH_REQUIRE_KRITA") == "1"
