"""ColorizeDiffusion v1 (checkpoints ``mult-*``): one set of weights, with or without masks."""

from pathlib import Path

from backend.families.base import Family, FamilySpec, MaskGuesser
from backend.families.colorizediffusion.description import MASKED, REFERENCE_SIDE, V1_MODES, parameters
from shared.protocol import Finish

SPEC = FamilySpec(
    name="v1",
    title="ColorizeDiffusion v1",
    licence="CC BY-NC-SA 4.0; weights CC BY-NC",
    finishes=(Finish.PAINTED, Finish.FLATS),
    reference_side=REFERENCE_SIDE,
    modes=V1_MODES,
    parameters=parameters((MASKED,)),
)


def load(path: Path, clip: Path | None, device: str, guesser: MaskGuesser) -> Family:
    """A checkpoint of this version, ready to colour.  Raises LinewashError: see ``loading.load_parts``."""
    # brings the library that holds CLIP: a second that who paints with mini need not wait
    from backend.families.colorizediffusion.opening import open_checkpoint

    return open_checkpoint(SPEC, path, clip, device, guesser)
