"""``linewash models list | show``: the models, their modes and their parameters.  ``weights`` has the other commands."""

import typer

from backend.cli.backend_process import connect_backend, report_errors
from backend.cli.weights import Home, Name, convert, delete, download, format_size
from backend.weights import known_downloads
from shared.errors import ErrorCode, LinewashError
from shared.model_spec import ModeInfo, ModelInfo, ParameterInfo
from shared.paths import default_home, models_dir

_PURPOSES = {
    "clip-vit-h-14": "reads references for other models",
    "isnet-sketches": "finds the foreground of drawings",
    "isnet-characters": "finds characters in references",
    "isnet-things": "finds things of all kinds in references",
    "birefnet": "finds things of all kinds in references",
}
"""What a file is for that is not a coloring model, by the kind of its weights."""

models = typer.Typer(invoke_without_command=True, help="List, describe, download, convert and delete coloring models.")
for _command in (download, convert, delete):
    models.command()(_command)


@models.callback()
def _list_by_default(context: typer.Context, home: Home = None) -> None:
    if context.invoked_subcommand is None:
        list_models(home)
    elif home is not None:
        raise typer.BadParameter("--home comes after %s" % context.invoked_subcommand)


@models.command("list")
def list_models(home: Home = None) -> None:
    """List the coloring models and whether they are ready, and what else can be downloaded."""
    from backend.weights import detection, removal  # these import torch

    home_folder = home or default_home()
    with report_errors(), connect_backend(home_folder) as client:
        rows = client.models()
    for model in rows:
        typer.echo("%s  %s, %s, %s" % (model.name, model.title, model.license or "license not known", _state(model)))
    folder = models_dir(home_folder)
    weights = detection.scan_models(folder)
    for file in weights:
        if file.kind in _PURPOSES:
            typer.echo("%s  %s, %s" % (file.name, _PURPOSES[file.kind], file.problem or format_size(file.size)))
    for part in removal.list_partial_downloads(folder):
        name, done = removal.model_name_of_part(part, folder), format_size(part.stat().st_size)
        typer.echo("%s  %s of a download (%s); the same command continues it" % (name, done, part.name))
    names = {file.path.name for file in weights}
    companions = detection.find_companions(weights)
    available = [item for item in known_downloads.KNOWN_DOWNLOADS if item.name not in companions and item.files[0] not in names]
    if available:
        typer.echo("\nAvailable with linewash models download:")
    for item in available:
        typer.echo("%s  %s, %s" % (item.name, item.title, format_size(item.size)))


@models.command()
def show(name: Name, home: Home = None) -> None:
    """Explain a model's modes and parameters, with ranges and defaults."""
    with report_errors(), connect_backend(home or default_home()) as client:
        model = next((each for each in client.models() if each.name == name), None)
        if model is None:
            raise LinewashError(ErrorCode.UNKNOWN_MODEL, name)
    typer.echo("%s  %s, %s" % (model.name, model.title, _state(model)))
    typer.echo("license: %s" % (model.license or "not known"))
    if model.source:
        typer.echo("file: %s, %s" % (model.source, format_size(model.size)))
    if model.modes:
        typer.echo("\nmodes (--mode NAME; the first is the default):")
    for mode in model.modes:
        typer.echo("  %s  %s" % (mode.name, _describe_mode(mode)))
    if model.parameters:
        typer.echo("\nparameters (--set NAME=VALUE):")
    for parameter in model.parameters:
        typer.echo("  %s  %s  %s" % (parameter.name, describe_values(parameter), parameter.help))


def describe_values(parameter: ParameterInfo) -> str:
    """The values that a parameter may have, and its default, in a few words."""
    if parameter.kind in ("number", "integer"):
        text = "%g to %g, default %g" % (parameter.low, parameter.high, parameter.default)
    elif parameter.kind == "switch":
        text = "on or off, default %s" % ("on" if parameter.default else "off")
    elif parameter.kind == "choice":
        text = "%s, default %s" % (" | ".join(value for value, _ in parameter.choices), parameter.default)
    else:
        text = "a text" + (", default %s" % parameter.default if parameter.default else "")
    return text + (", in %s" % ", ".join(parameter.modes) if parameter.modes else "")


def _describe_mode(mode: ModeInfo) -> str:
    return mode.help + (" Needs: %s." % ", ".join(mode.required_inputs) if mode.required_inputs else "")


def _state(model: ModelInfo) -> str:
    return "ready" if model.ready else "not ready: %s" % model.reason
