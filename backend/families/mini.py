"""mini: this project's own small model.  Flats point at the reference's palette; paint is a diffusion on top of the flats."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from diffusers import FlowMatchEulerDiscreteScheduler
from torch import Tensor, nn

from backend.families.base import FamilySpec
from backend.families.loading import load_network
from backend.families.mini_features import GRID, SIDE
from backend.families.mini_inputs import (
    allowed_tokens,
    comparable_references,
    drawing_picture,
    field_anchor,
    field_ink,
    field_mask,
    painted_reference,
    reference_tokens,
    square_labels,
)
from backend.families.mini_masks import MiniMasks
from backend.imaging.colour import to_bytes
from backend.imaging.resampling import Box
from backend.imaging.types import Floats, Gray, Rgb
from backend.networks.flats import Flats, Palette
from backend.networks.foreground import Foreground
from backend.networks.painted import SCALE, Condition, Painted
from backend.pipeline.types import Colours, Drawing, OnStep, Step
from backend.weights.folder import ModelFolder
from shared.protocol import ColorizeRequest, Finish

SPEC = FamilySpec(
    name="mini",
    title="Mini",
    licence="MIT; trained on CC0, CC BY and VRM Public License art, see the model card",
    finishes=(Finish.FLATS, Finish.PAINTED),
)
NETWORKS: dict[str, type[nn.Module]] = {"flats": Flats, "painted": Painted, "foreground": Foreground}

FIRST_LEVEL = 0.7
"""The first step goes from pure noise to this level; the rest of the steps share what is left."""


@dataclass(frozen=True)
class MiniCondition:
    """Everything about one picture that holds for every seed.

    flats: (count, 3) uint8.  drawn: the flats in a SIDE square, sRGB 0..1.  box: the canvas in it.  given, given_without: the
    painted network's conditioning with and without the reference; None for flats.
    """

    flats: Rgb
    drawn: Floats
    box: Box
    given: Condition | None
    given_without: Condition | None


class Mini:
    """See ``backend.families.base.Family``.

    The flats are the most likely colours and the same for every seed; the seed is the noise of the painted finish.
    """

    spec = SPEC

    def __init__(self, flats: Flats, painted: Painted, foreground: Foreground) -> None:
        self._flats, self._painted = flats.eval(), painted.eval()
        self._masks = MiniMasks(foreground)

    @staticmethod
    def load(folder: ModelFolder) -> "Mini":
        """From a model folder.  Raises LinewashError MODEL_MISSING or MODEL_CORRUPT."""
        networks: dict[str, Any] = {part: load_network(folder, part, build) for part, build in NETWORKS.items()}
        return Mini(**networks)

    def guess_drawing_mask(self, ink: Gray) -> Gray:
        """See ``MaskGuesser``."""
        return self._masks.guess_drawing_mask(ink)

    def guess_reference_mask(self, rgb: Rgb) -> Gray:
        """See ``MaskGuesser``."""
        return self._masks.guess_reference_mask(rgb)

    @torch.inference_mode()
    def condition(self, drawing: Drawing, request: ColorizeRequest) -> MiniCondition:
        """Flats of every region and, for the painted finish, the conditioning of the diffusion.  No noise in it."""
        labels, box = square_labels(drawing)
        flats = self._choose(drawing, labels)
        given = without = None
        if request.finish == Finish.PAINTED:
            shown = (
                field_ink(drawing),
                field_mask(drawing),
                field_anchor(labels, flats),
                *painted_reference(drawing.references),
            )
            given = self._painted.condition(*shown, torch.tensor([False]))
            without = self._painted.condition(*shown, torch.tensor([True]))
        return MiniCondition(flats, _drawn(flats, labels), box, given, without)

    def _choose(self, drawing: Drawing, labels: np.ndarray) -> Rgb:
        """(count, 3) uint8: for each region the reference colour that is most likely."""
        picture = drawing_picture(drawing, labels)
        references = tuple(reference_tokens(r) for r in comparable_references(drawing))
        seen = [self._flats.describe(r.picture) for r in references]
        starts = np.cumsum([0, *(len(r.palette) for r in references)])
        index = np.concatenate([r.index + s for r, s in zip(references, starts[:-1], strict=True)])
        answer = self._flats.match(
            (*self._flats.describe(picture), picture.geometry, picture.valid),
            (
                torch.cat([pooled for pooled, _ in seen], 1),
                torch.cat([summary for _, summary in seen], 1),
                torch.cat([r.picture.geometry for r in references], 1),
                torch.cat([r.picture.valid for r in references], 1),
            ),
            Palette(torch.cat([r.lab for r in references], 1), torch.from_numpy(index)[None], int(starts[-1])),
            torch.from_numpy(allowed_tokens(drawing.regions.foreground, references))[None],
        )
        palette = np.concatenate([r.palette for r in references])
        return palette[answer.log_prob[0].argmax(-1).numpy()]

    @torch.inference_mode()
    def denoise(self, condition: MiniCondition, request: ColorizeRequest, on_step: OnStep) -> Tensor | None:
        """The clean latent (1, 3, GRID, GRID), or None for the flats finish; every step shows what it expects to become."""
        if condition.given is None or condition.given_without is None:
            on_step(Step("denoise", 1, 1, _preview(condition, None)))
            return None
        scheduler: Any = FlowMatchEulerDiscreteScheduler(shift=1.0)
        levels = [1.0, *np.linspace(FIRST_LEVEL, 0, request.steps)[:-1]] if request.steps > 1 else [1.0]
        scheduler.set_timesteps(sigmas=levels)
        noise = torch.Generator().manual_seed(request.seed)
        latent = torch.randn(1, 3, GRID, GRID, generator=noise)
        for step, timestep in enumerate(scheduler.timesteps, 1):
            sigma = (timestep / scheduler.config["num_train_timesteps"])[None]
            clean = self._painted(latent, sigma, condition.given)
            if request.guidance != 1:
                plain = self._painted(latent, sigma, condition.given_without)
                clean = plain + request.guidance * (clean - plain)
            latent = scheduler.step((latent - clean) / sigma, timestep, latent).prev_sample
            on_step(Step("denoise", step, request.steps, _preview(condition, clean)))
        return latent

    def decode(self, condition: MiniCondition, latent: Tensor | None, drawing: Drawing, request: ColorizeRequest) -> Colours:
        """Colours of the regions and, when there is a latent, of the field over the whole canvas."""
        return Colours(condition.flats, None if latent is None else _shaded(condition, latent))


def _drawn(flats: Rgb, labels: np.ndarray) -> Floats:
    """The flats (count, 3) drawn in a SIDE square, (SIDE, SIDE, 3) sRGB 0..1, white where labels are -1."""
    colours = np.concatenate([flats, np.full((1, 3), 255, np.uint8)])
    return (cv2.resize(colours[labels], (SIDE, SIDE), interpolation=cv2.INTER_AREA) / 255).astype(np.float32)


def _shaded(condition: MiniCondition, latent: Tensor | None) -> Floats:
    """The canvas (h, w, 3) float32 sRGB 0..1, longest side SIDE: the flats, and the latent's shading on top of them.

    Flats are drawn at this size rather than at the field's, so that only shading is interpolated and no colour bleeds.
    """
    box, picture = condition.box, condition.drawn
    if latent is not None:
        shade = np.ascontiguousarray(latent[0].permute(1, 2, 0).numpy()) * SCALE
        picture = picture + cv2.resize(shade, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    inner = picture[box.top : box.top + box.height, box.left : box.left + box.width]
    return np.clip(inner, 0, 1).astype(np.float32, copy=False)


def _preview(condition: MiniCondition, latent: Tensor | None) -> Rgb:
    return to_bytes(_shaded(condition, latent))
