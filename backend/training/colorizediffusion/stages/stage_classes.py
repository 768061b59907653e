"""The class of each stage by the name of its command."""

from collections.abc import Mapping

from backend.training.colorizediffusion.stages.stage import Stage
from backend.training.colorizediffusion.stages.v1 import V1Stage
from backend.training.colorizediffusion.stages.v2_backbone import BackboneStage
from backend.training.colorizediffusion.stages.v2_background import BackgroundStage
from backend.training.colorizediffusion.stages.v2_style import StyleStage
from backend.training.colorizediffusion.stages.v15 import V15Stage

STAGE_CLASSES: Mapping[str, type[Stage]] = {
    "v1": V1Stage,
    "v15": V15Stage,
    "v2-backbone": BackboneStage,
    "v2-background": BackgroundStage,
    "v2-style": StyleStage,
}
