"""The stages of a job, in the order in which they run."""

from enum import Enum


class Stage(str, Enum):
    """What a running job is doing.  The value is its spelling in ``JobStatus.stage`` and ``JobStatus.seconds``."""

    PREPARE = "prepare"
    """Lines, mask and references are resized for the model, and the drawing is cut into regions."""
    CONDITION = "condition"
    """The model computes what does not depend on noise."""
    DENOISE = "denoise"
    """The model denoises, step by step."""
    DECODE = "decode"
    """The latent becomes colors."""
    LAYERS = "layers"
    """The colors become layers at canvas size."""
