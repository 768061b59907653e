"""ColorizeDiffusion v1 (checkpoints ``mult-*``): one set of weights, with or without masks."""

from pathlib import Path

from backend.contract.family import AnyColorModel, ForegroundSegmenter, ModelSpec
from backend.families.colorizediffusion.spec import MASKED, REFERENCE_SIDE, V1_MODES, parameters
from backend.weights.companions import Companions
from shared.protocol import Finish

SPEC = ModelSpec(
    name="v1",
    title="ColorizeDiffusion v1",
    license="CC BY-NC-SA 4.0; weights CC BY-NC",
    finishes=(Finish.PAINTED, Finish.FLATS),
    reference_side=REFERENCE_SIDE,
    modes=V1_MODES,
    parameters=parameters((MASKED,)),
)


def load(path: Path, companions: Companions, device: str, segmenter: ForegroundSegmenter) -> AnyColorModel:
    """A checkpoint of this version, ready to color.  Raises LinewashError: see ``loading.load_parts``."""
    # brings the library that holds CLIP: a second that who paints with mini need not wait
    from backend.families.colorizediffusion.factory import load_family

    return load_family(SPEC, path, companions, device, segmenter)
