"""``linewash serve | colorize | bleach | device | models | doctor | train | evaluate | evaluate-faces``.

A command imports what it needs when it is called, so that the server process never loads torch.
"""

import importlib
import importlib.util
from pathlib import Path
from typing import Annotated

import typer

from backend.cli.bleach import bleach_image
from backend.cli.colorize import colorize
from backend.cli.device import device
from backend.cli.doctor import doctor
from backend.cli.models import models
from shared.devices.device_status import NumberFormat
from shared.protocol import PRODUCT_VERSION

app = typer.Typer(name="linewash", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.command()(colorize)
app.command("bleach")(bleach_image)
app.command()(device)
app.command()(doctor)
app.add_typer(models, name="models")


def _print_version(requested: bool) -> None:
    if requested:
        typer.echo("linewash %s" % PRODUCT_VERSION)
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Color under ink: a local diffusion backend for Krita."""


@app.command()
def serve(
    home: Annotated[Path | None, typer.Option(help="Folder of your Linewash data.")] = None,
    port: Annotated[int | None, typer.Option(help="Port on 127.0.0.1; a free one by default.")] = None,
    idle_minutes: Annotated[float | None, typer.Option(help="End after so many minutes without work.")] = None,
    device: Annotated[
        list[str] | None, typer.Option(help="auto, cpu, cuda:N, xpu:N or mps, for this run; repeat for a worker on each.")
    ] = None,
    number_format: Annotated[NumberFormat | None, typer.Option(help="Numbers of the published models' large networks.")] = None,
) -> None:
    """Run the backend until it is stopped or idle.  The Krita docker starts it by itself."""
    from backend.server.serve import AlreadyRunning
    from backend.server.serve import serve as run
    from backend.server.settings import Settings

    options = {
        "home": home.absolute() if home else None,
        "port": port,
        "idle_minutes": idle_minutes,
        "devices": device,
        "number_format": number_format,
    }
    try:
        run(Settings.model_validate({name: value for name, value in options.items() if value is not None}), typer.echo)
    except AlreadyRunning as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    except OSError as error:
        typer.echo("The backend cannot start: %s" % error, err=True)
        raise typer.Exit(1) from error


def _add_tool(name: str, module: str, description: str) -> None:
    """Add a command that imports another command line and passes all arguments on to it."""

    def run(context: typer.Context) -> None:
        try:
            tool = importlib.import_module(module)
        except ImportError as error:
            typer.echo("%s is missing; install the train extra: pip install -e '.[backend,train]'" % error.name, err=True)
            raise typer.Exit(1) from error
        tool.app(context.args, prog_name="linewash %s" % name)

    passthrough = {"allow_extra_args": True, "ignore_unknown_options": True}
    app.command(name, help=description, context_settings=passthrough, add_help_option=False)(run)


for _name, _module, _description in (
    ("train", "backend.training.cli", "Make training drawings, train and export the mini model."),
    ("evaluate", "backend.evaluation.cli", "Measure a model on drawings it has not seen."),
    ("evaluate-faces", "backend.evaluation.animediffusion.cli", "Measure AnimeDiffusion on faces it has not seen."),
):
    if importlib.util.find_spec(_module) is not None:
        _add_tool(_name, _module, _description)
