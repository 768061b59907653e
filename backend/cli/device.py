"""``linewash device``: shows what can compute, and chooses."""

from pathlib import Path
from typing import Annotated

import typer

from backend.cli.backend_process import connect_backend, report_errors
from shared.devices.device_status import AUTOMATIC, DeviceStatus
from shared.paths import default_home
from shared.protocol import MAX_WAIT_S


def device(
    choice: Annotated[str, typer.Argument(help="auto, or a name from the list; without it nothing changes.")] = "",
    home: Annotated[Path | None, typer.Option(help="Folder of your Linewash data.")] = None,
) -> None:
    """Show what can compute (graphics cards, the processor), and choose; the docker shows the same."""
    with report_errors(), connect_backend(home or default_home()) as client:
        if choice:
            client.device(MAX_WAIT_S)  # so that a wrong name is noticed
            client.choose_device(choice)
        status = client.device(MAX_WAIT_S)
    for line in describe_devices(status):
        typer.echo(line)


def describe_devices(status: DeviceStatus) -> list[str]:
    """A line for each device, the one in use marked by a star, then what the painter should know."""
    lines = ["%s %-8s %s" % ("*" if each.name == status.used else " ", each.name, each.title) for each in status.devices]
    chosen = "The best one is chosen automatically" if status.choice == AUTOMATIC else "Chosen: %s" % status.choice
    lines.append("%s; * computes." % chosen)
    if status.pending:
        lines.append("The choice takes effect when the running job has ended.")
    return [*lines, *filter(None, (status.problem, *status.hints))]
