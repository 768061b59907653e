"""The shipped model, and a drawing with two references."""

import numpy as np
import pytest

from backend.contract.drawing import Drawing, Reference
from backend.contract.family import ColorModel
from backend.families.mini.family import Mini, MiniCondition, MiniLatent
from backend.imaging.segmentation.regions import merge_and_split, segment
from backend.weights.shipped_model import SHIPPED_MODELS, ModelFolder
from shared.protocol import ReferenceRole
from tests.unit.families.mini.shapes import draw


@pytest.fixture(scope="session")
def mini() -> ColorModel[MiniCondition, MiniLatent]:
    """The shipped model."""
    return Mini.load(ModelFolder(SHIPPED_MODELS / "mini"))


@pytest.fixture(scope="session")
def drawing() -> Drawing:
    """A drawing of 256 x 200 with two references of other colors; foreground and background in each."""
    rng = np.random.default_rng(5)
    line, _, mask = draw(rng, rng.integers(60, 256, (6, 3)))
    ink, mask = np.ascontiguousarray(255 - line[:, :200]), np.ascontiguousarray(mask[:, :200])
    references: list[Reference] = []
    for seed in (6, 7):
        other = np.random.default_rng(seed)
        _, color, reference_mask = draw(other, other.integers(60, 256, (6, 3)))
        references.append(Reference(color, reference_mask, ReferenceRole.BOTH, color.shape[:2]))
    return Drawing(ink, mask, merge_and_split(segment(ink, 0.02), mask, 160), tuple(references))
