"""Stage 0 of v2: as v1, U-Net and sketch encoder learn to restore an image from its lines and itself, predicting v."""

from backend.families.colorizediffusion.checkpoint.loader import Parts
from backend.families.colorizediffusion.versions import V1, V2
from backend.training.colorizediffusion.stages import stage_table
from backend.training.colorizediffusion.stages.v1 import V1Stage
from backend.training.colorizediffusion.stages.v2_new_networks import expand_to_v2


class BackboneStage(V1Stage):
    """See ``engine.task.Task``.

    A v1.5 checkpoint is no start: its low-rank pairs, and what its U-Net learned with them, have no place in v2.
    """

    info = stage_table.V2_BACKBONE
    version = V2
    start_versions = (V1, V2)

    @classmethod
    def expand(cls, parts: Parts) -> Parts:
        """See ``Stage``."""
        return expand_to_v2(parts)
