"""Names of result groups, in the docker and in OpenRaster files."""

import re

RESULT_PREFIX = "Linewash "
"""Every name of a result group begins with this."""


def result_name(seed: int, mode: str, model: str) -> str:
    """The name of a result group.  Example: ``Linewash 4821 flats · mini``.

    The seed comes first and the model last, because a narrow Layers docker shows only some fifteen letters.
    mode: the mode or finish, in one or two words; '' when it is not known.
    """
    return "%s%s · %s" % (RESULT_PREFIX, " ".join(part for part in (str(seed), mode) if part), model)


def parse_seed(name: str) -> int:
    """The seed in the name of a result group; 0 when there is none, because the painter has renamed it."""
    match = re.match(RESULT_PREFIX + r"(\d{1,9}) ", name)
    return int(match.group(1)) if match else 0


def is_result_group(name: str) -> bool:
    """Whether ``name`` is one that ``result_name`` gives."""
    return name.startswith(RESULT_PREFIX)
