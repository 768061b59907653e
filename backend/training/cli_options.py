"""Options that training commands share."""

from pathlib import Path
from typing import Annotated

import typer

from shared.devices import device_status

RunFolder = Annotated[Path, typer.Option(help="Folder of this training run: checkpoint, log, curves, contact sheets.")]
Steps = Annotated[int, typer.Option(min=0, help="Steps in the whole training run.")]
BatchSize = Annotated[int, typer.Option(min=1, help="Images in a batch.")]
BatchesPerStep = Annotated[
    int, typer.Option(min=0, help="Batches in an optimizer step, all processes together; 0: one for each process.")
]
WeightDecay = Annotated[float, typer.Option(help="AdamW's weight decay.")]
EmaDecay = Annotated[float, typer.Option(min=0, max=1, help="Decay of averaged weights (EMA); 0: none are kept.")]
ReferenceDropout = Annotated[float, typer.Option(min=0, max=1, help="Share of images that are learned without reference.")]
LineDropout = Annotated[float, typer.Option(min=0, max=1, help="Share of images that are learned without lines.")]
Validation = Annotated[Path | None, typer.Option(help="Data set whose first images are colored at checkpoints.", exists=True)]
NumberFormat = Annotated[device_status.NumberFormat, typer.Option(help="Of autocast; auto: bfloat16 where the device has it.")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
Threads = Annotated[int, typer.Option(min=0, help="Compute threads; 0: torch's own choice.")]
Workers = Annotated[int, typer.Option(min=0, help="Processes that make batches ahead.")]
SaveMinutes = Annotated[float, typer.Option(help="Minutes between two checkpoints.")]
