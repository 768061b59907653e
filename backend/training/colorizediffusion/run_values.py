"""What the record of a stage's training run says, and whether a checkpoint is the one that it began with."""

from pathlib import Path

from backend.training.colorizediffusion.stages.stage import Stage, StartCheckpointError
from backend.training.engine.run_record import compute_digest, read_run_record

_FILE, _DIGEST = "start", "start_sha256"


def run_values(name: str, stage: Stage) -> dict[str, str]:
    """What has to be the same when a training run goes on; ``export_checkpoint`` reads it, too."""
    parts = stage.parts
    values = {"stage": name, "prediction": parts.prediction}
    if "background_encoder" in stage.info.trained:
        values["background_context"] = parts.config.background_context
    return values


def check_start(run: Path, start: Path) -> dict[str, str]:
    """What the record says of the start checkpoint.

    Raises StartCheckpointError when the training run in ``run`` began with another one: what it has learned belongs to the
    frozen weights of that.  Records of older training runs do not tell.  A file that was only renamed is the same checkpoint.
    """
    record, digest = read_run_record(run) or {}, compute_digest(start)
    if record.get(_DIGEST, digest) != digest:
        raise StartCheckpointError(
            f"{start.name} is not the checkpoint that the training run in {run} began with; that was {record[_FILE]} "
            f"(SHA-256 {record[_DIGEST]})"
        )
    return {_FILE: start.name, _DIGEST: digest}
