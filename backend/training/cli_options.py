"""Options that the commands of every published system's training share."""

from pathlib import Path
from typing import Annotated

import typer

RunFolder = Annotated[Path, typer.Option(help="Folder of this run: checkpoint, log, curves, pictures.")]
Steps = Annotated[int, typer.Option(min=0, help="Steps in the whole run.")]
Batch = Annotated[int, typer.Option(min=1, help="Pictures at once in one process.")]
Parts = Annotated[int, typer.Option(min=0, help="Batches in a step; 0: one for each process.")]
Decay = Annotated[float, typer.Option(help="AdamW's weight decay.")]
Average = Annotated[float, typer.Option(min=0, max=1, help="Decay of averaged weights; 0: none.")]
Withhold = Annotated[float, typer.Option(min=0, max=1, help="Share of pictures learned without reference.")]
WithholdLines = Annotated[float, typer.Option(min=0, max=1, help="Share of pictures learned without lines.")]
Validation = Annotated[Path | None, typer.Option(help="Data set to show pictures of.", exists=True)]
Precision = Annotated[str, typer.Option(help="bf16, fp16 or no (float32).")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
Threads = Annotated[int, typer.Option(min=0, help="Compute threads; 0: torch's own choice.")]
Workers = Annotated[int, typer.Option(min=0, help="Processes that make batches ahead.")]
SaveMinutes = Annotated[float, typer.Option(help="Time between two checkpoints.")]
