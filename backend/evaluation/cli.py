"""``linewash evaluate`` or ``python -m backend.evaluation.cli``: measure a model on drawings with known colors."""

from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Annotated

import cv2
import torch
import typer
from rich.console import Console
from rich.progress import track

from backend.contract.family import ModelSpec
from backend.evaluation.aggregate import summarize
from backend.evaluation.colorize_pair import ColorizeOptions
from backend.evaluation.methods import Role, all_methods
from backend.evaluation.metrics.lpips import Net, load_installed
from backend.evaluation.pairs import mirror_and_warp_reference, read_pairs
from backend.evaluation.report import Report, render_html
from backend.evaluation.run import Measurements, measure, to_json, warm_up
from backend.evaluation.table import COLUMNS, masks_table, metrics_table, variations_table
from backend.evaluation.uncolored_drawings import choose_references, colorize_by_references, read_images
from backend.families.registry import load
from shared.errors import LinewashError
from shared.model_spec import ParameterValues, Value, parse_assignments
from shared.paths import default_home, models_dir
from shared.protocol import ColorizeRequest, Finish, default_values, replace_parameters, resolve_values

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
LPIPS_MISSING = "not installed (see docs/evaluation.md)"
TABLE_WIDTH = 200
"""Width of tables, in characters, when the output is not a terminal."""
_DEFAULTS = ColorizeRequest(64, 64, ())


@app.command()
def evaluate(
    pairs: Annotated[Path, typer.Option(exists=True, help="Folder of NAME_line/_color/_ref/_mask.png, or a shard (.npz).")],
    out: Annotated[Path, typer.Option(file_okay=False, help="Folder for report.html and metrics.json.")],
    warp: Annotated[bool, typer.Option("--warp", help="Mirror and warp the references, by a fixed seed.")] = False,
    guess: Annotated[bool, typer.Option("--guess", help="Let the model find the foreground; masks are measured, too.")] = False,
    seeds: Annotated[int, typer.Option(min=1, help="Color every drawing with so many seeds.")] = 1,
    finish: Annotated[list[Finish] | None, typer.Option(help="Repeat for more; default: all of the model's.")] = None,
    lineart: Annotated[Path | None, typer.Option(exists=True, help="Drawings without a truth, to be looked at.")] = None,
    references: Annotated[
        list[Path] | None,
        typer.Option("--references", "-r", exists=True, help="Colors for them: images or folders; default: from the pairs."),
    ] = None,
    skip: Annotated[int, typer.Option(min=0, help="Leave out the first so many pairs.")] = 0,
    limit: Annotated[int, typer.Option(min=0, help="At most so many pairs.")] = 1000,
    model: Annotated[str, typer.Option(help="See linewash models.")] = _DEFAULTS.model,
    models: Annotated[Path | None, typer.Option(help="Folder of models; default: the user's.")] = None,
    mode: Annotated[str, typer.Option(help="One of linewash models show MODEL; its first by default.")] = _DEFAULTS.mode,
    setting: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A parameter of the model; repeat for more.")
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, max=200, help="Denoising steps; the model's own by default.")] = None,
    guidance: Annotated[
        float | None, typer.Option(min=1.0, max=20.0, help="How closely to follow the reference; the model's own by default.")
    ] = None,
    device: Annotated[str, typer.Option(help="Where the networks run: cpu, cuda, cuda:1, mps.")] = "cpu",
    net: Annotated[str, typer.Option(help="Network of LPIPS: alex or vgg.")] = "alex",
    threads: Annotated[int, typer.Option(min=1, help="CPU threads of the networks.")] = 1,
) -> None:
    """Measure a model beside plain baselines and oracles; print tables and write a report with images."""
    if references and lineart is None:
        raise typer.BadParameter("needs --lineart", param_hint="--references")
    perceptual = load_installed(_parse_net(net))
    # Files are read before the model is loaded: a wrong path is noticed at once.
    drawings = [] if lineart is None else read_images([lineart])
    cv2.setNumThreads(1)
    torch.set_num_threads(threads)
    try:
        family = load(model, models or models_dir(default_home()), device)
        values = _parameter_values(family.spec, mode, {"steps": steps, "guidance": guidance}, setting or ())
    except LinewashError as error:
        raise typer.BadParameter(str(error)) from error
    finishes = tuple(finish or family.spec.finishes)
    options = ColorizeOptions(finishes[0], 0, guess, mode, values)
    methods = all_methods(family, finishes, options)
    all_pairs = list(islice(read_pairs(pairs), skip, skip + limit))
    used = [mirror_and_warp_reference(pair, number) for number, pair in enumerate(all_pairs, skip)] if warp else all_pairs
    progress = Console(stderr=True)
    if used:
        warm_up(methods, used[0])
    measured = measure(track(used, "Measuring", console=progress), family, methods, options, seeds, perceptual)
    colors = read_images(references) if references else choose_references(all_pairs)
    drawing_strips = [
        colorize_by_references(family, drawing, colors, finishes, options)
        for drawing in track(drawings, "Drawings", console=progress)
    ]
    settings = {
        "model": model,
        "drawings": str(len(used)),
        "references": "mirrored and warped" if warp else "as they are",
        "masks": "guessed by the model" if guess else "given where known",
        "seeds": str(seeds),
        **({"mode": mode} if mode else {}),
        **{name: str(value) for name, value in values.items()},
        "device": device,
        "LPIPS": net if perceptual else LPIPS_MISSING,
    }
    _print_tables(measured, perceptual is not None)
    out.mkdir(parents=True, exist_ok=True)
    names = frozenset(method.name for method in methods if method.role is Role.FAMILY)
    report = Report(
        f"{family.spec.title}, measured",
        settings,
        measured.rows,
        names,
        measured.masks,
        measured.variations,
        measured.strips,
        tuple(drawing_strips),
    )
    (out / "report.html").write_text(render_html(report), encoding="utf-8")
    (out / "metrics.json").write_text(to_json(settings, measured.rows), encoding="utf-8")


def _parameter_values(spec: ModelSpec, mode: str, own: Mapping[str, Value | None], texts: Sequence[str]) -> ParameterValues:
    """The values of the model's parameters, its defaults included.  Raises LinewashError BAD_SETTING for a wrong one."""
    from_options = {name: value for name, value in own.items() if value is not None}
    defaults = default_values(spec.modes, spec.parameters, mode)
    values = ParameterValues(defaults | from_options | parse_assignments(spec.modes, spec.parameters, mode, texts))
    resolve_values(replace_parameters(ColorizeRequest(64, 64, (), mode=mode), values), spec.modes, spec.parameters)
    return values


def _parse_net(name: str) -> Net:
    if name == "alex" or name == "vgg":
        return name
    raise typer.BadParameter("alex or vgg", param_hint="--net")


def _print_tables(measured: Measurements, perceptual: bool) -> None:
    console = Console()
    if not console.is_terminal:
        console = Console(width=TABLE_WIDTH)
    for kind in dict.fromkeys(row.kind for row in measured.rows):
        rows = [row for row in measured.rows if row.kind == kind]
        console.print(metrics_table(f"{kind} ({len({row.pair for row in rows})} drawings)", summarize(rows), COLUMNS))
    if measured.masks:
        console.print(masks_table(measured.masks))
    if measured.variations:
        console.print(variations_table(measured.variations))
    if not perceptual:
        console.print(f"LPIPS: {LPIPS_MISSING}")


if __name__ == "__main__":
    app()
