"""Which branches a step needs, and that leaving some out changes nothing."""

import pytest
import torch
from torch import Tensor

from backend.families.diffusion.guidance import Branch, Guidance

WINDOW = Guidance(4.0, 1.0, start=0.2, end=0.8, pause_start=0.4, pause_end=0.5)


def output_of(branch: Branch, sees_reference: bool) -> Tensor:
    """A network's output: depends on what the branch really sees."""
    return torch.full((1, 4, 2, 2), 1.0 + 10 * branch.sketch + 100 * (branch.reference and sees_reference))


def by_the_formula(guidance: Guidance, sees_reference: bool) -> Tensor:
    """Spec 15.1 on all three branches, tokens of all of them zero outside the window (15.2)."""
    both, no_reference, no_sketch = (
        output_of(branch, sees_reference) for branch in (Branch.BOTH, Branch.NO_REFERENCE, Branch.NO_SKETCH)
    )
    by_reference = no_reference + (both - no_reference) * guidance.reference
    by_sketch = no_sketch + (both - no_sketch) * guidance.sketch
    if guidance.reference > 1 and guidance.sketch > 1:
        return 0.5 * (by_reference + by_sketch)
    if guidance.reference > 1:
        return by_reference
    return by_sketch if guidance.sketch > 1 else both


@pytest.mark.parametrize("t", [0.0, 150.0, 450.0, 550.0, 700.0, 999.0])
@pytest.mark.parametrize(("reference", "sketch"), [(1, 1), (3, 1), (1, 2), (3, 2), (0.5, 0.2)])
def test_combines_as_if_all_branches_were_there(reference: float, sketch: float, t: float) -> None:
    guidance = Guidance(reference, sketch, 0.2, 0.8, 0.4, 0.5)
    outputs = {branch: output_of(branch, True) for branch in guidance.branches(t)}
    torch.testing.assert_close(guidance.combine(outputs), by_the_formula(guidance, guidance.sees_reference(t)))


def test_one_row_outside_the_window_and_it_comes_back() -> None:
    progress = [0.0, 0.1, 0.3, 0.45, 0.6, 0.9]
    rows = [WINDOW.branches(999 * (1 - p)) for p in progress]
    assert [len(row) for row in rows] == [1, 1, 2, 1, 2, 1]
    assert rows[0] == (Branch.NO_REFERENCE,)
    assert rows[4] == (Branch.BOTH, Branch.NO_REFERENCE)


def test_the_default_window_is_always_open() -> None:
    assert all(Guidance(2).sees_reference(t) for t in (0, 0.5, 500, 999))


def test_scales_count_above_one_only() -> None:
    assert Guidance(1, 1).branches(500) == (Branch.BOTH,)
    assert Guidance(1, 1.5).branches(500) == (Branch.BOTH, Branch.NO_SKETCH)
    assert Guidance(2, 2).branches(500) == (Branch.BOTH, Branch.NO_REFERENCE, Branch.NO_SKETCH)
