"""The chain of stages: every stage announced, timed, and stopped by a cancel at the very next step."""

from pathlib import Path

import numpy as np
import pytest

from backend.contract.drawing import CancelledError, Inputs, StepProgress
from backend.pipeline.run import colorize
from tests.api import fakes, images

STAGES = ["prepare", "condition", "denoise", "decode", "layers"]


def inputs(steps: int) -> Inputs:
    from backend.imaging import png

    wanted = images.request(steps=steps)
    rgba = {name: png.decode_rgba(data) for name, data in images.parts(wanted).items() if isinstance(data, bytes)}
    return Inputs(wanted, rgba["lines"], (rgba["reference0"],), None)


def test_every_stage_is_announced_in_order_and_timed() -> None:
    steps: list[StepProgress] = []
    result = colorize(inputs(3), fakes.load("fake", Path()), steps.append)
    assert [step.stage for step in steps if step.steps == 0] == STAGES
    assert [(step.step, step.steps) for step in steps if step.steps] == [(1, 3), (2, 3), (3, 3)]
    assert list(result.seconds) == STAGES and all(seconds >= 0 for seconds in result.seconds.values())
    assert result.layers.composite.shape == (images.HEIGHT, images.WIDTH, 4)


@pytest.mark.parametrize("stage", STAGES)
def test_a_cancel_stops_before_the_stage_begins(stage: str) -> None:
    stages: list[str] = []

    def on_step(step: StepProgress) -> None:
        stages.append(step.stage)
        if step.stage == stage:
            raise CancelledError

    with pytest.raises(CancelledError):
        colorize(inputs(3), fakes.load("fake", Path()), on_step)
    assert stages[-1] == stage and stages.count(stage) == 1


def test_a_cancel_stops_after_the_step_it_arrived_in() -> None:
    steps: list[int] = []

    def on_step(step: StepProgress) -> None:
        steps.append(step.step)
        if step.step == 4:
            raise CancelledError

    with pytest.raises(CancelledError):
        colorize(inputs(200), fakes.load("fake", Path()), on_step)
    assert max(steps) == 4


def test_the_same_inputs_give_the_same_layers() -> None:
    first, second = (colorize(inputs(2), fakes.load("fake", Path()), lambda step: None).layers for _ in range(2))
    assert np.array_equal(first.foreground, second.foreground) and np.array_equal(first.background, second.background)
