"""How the group of a result is called, by the docker and in OpenRaster files, and how the docker knows it again."""

import re

RESULT_PREFIX = "Linewash "
"""How the name of every result group begins."""


def result_name(seed: int, way: str, model: str) -> str:
    """The seed comes first and the model last, as a narrow Layers docker shows some fifteen letters.

    way: how it was colored, in a word or two, '' when that is not known.  Example: ``Linewash 4821 flats · mini``.
    """
    return "%s%s · %s" % (RESULT_PREFIX, " ".join(part for part in (str(seed), way) if part), model)


def parse_seed(name: str) -> int:
    """The seed in such a name, 0 where there is none, as when the painter has changed it."""
    found = re.match(RESULT_PREFIX + r"(\d{1,9}) ", name)
    return int(found.group(1)) if found else 0


def is_result_group(name: str) -> bool:
    """Whether ``result_name`` makes such names."""
    return name.startswith(RESULT_PREFIX)
