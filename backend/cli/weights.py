"""``linewash models download | convert | delete``: files of the models folder.  Only ``download`` uses the network."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from backend.cli.backend_process import report_errors
from backend.weights import known_downloads
from shared.errors import ErrorCode, LinewashError
from shared.paths import default_home, models_dir

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells have it."""
Home = Annotated[Path | None, typer.Option(help="Folder of your Linewash data.")]
Name = Annotated[str, typer.Argument(help="A model of linewash models list.")]


def download(
    name: Annotated[str, typer.Argument(help="A name of linewash models list, or the OWNER/NAME of a repository.")],
    file: Annotated[str | None, typer.Argument(help="With a repository: the path of the file in it.")] = None,
    revision: Annotated[str, typer.Option(help="Branch, tag or commit of the repository.")] = "main",
    accept_license: Annotated[bool, typer.Option("--accept-license", help="Accept the license without being asked.")] = False,
    home: Home = None,
) -> None:
    """Download weights from the Hugging Face hub; after an interruption, the same command continues."""
    from backend.weights import hub_download

    item = known_downloads.find_download(name) if file is None else known_downloads.KnownDownload(name, file, name, (file,), 0)
    folder = models_dir(home or default_home())
    with report_errors():
        if item is None:
            raise LinewashError(ErrorCode.DOWNLOAD_UNKNOWN, f"{name} is not in the list; name a REPOSITORY and a FILE")
        # Everything is looked up first: a wrong name or a file in the way is noticed before the download.
        remotes = [hub_download.resolve_file(item.repo, path, revision) for path in item.files]
        targets = {remote: folder / item.folder / remote.name for remote in remotes}
        complete = {remote for remote, target in targets.items() if hub_download.is_downloaded(remote, target)}
        for remote in remotes:  # never overwrite another file of the same name
            if remote not in complete and targets[remote].exists():
                raise typer.BadParameter("%s is another file; move or delete it first" % targets[remote])
        terms = "; ".join(text for text in (hub_download.read_license(item.repo), item.license) if text)
        typer.echo("%s: %s from %s" % (name, format_size(sum(remote.size for remote in remotes)), item.repo))
        typer.echo("License: %s" % (terms or "the hub names none; see the page of %s" % item.repo))
        # Without a terminal nobody can be asked, so nothing is downloaded.
        if not accept_license and not (sys.stdin.isatty() and typer.confirm("Do you accept it?")):
            typer.echo("Nothing was downloaded. Say --accept-license when you accept the license.", err=True)
            raise typer.Exit(1)
        try:
            for remote in (remote for remote in remotes if remote not in complete):
                with _progress() as progress:
                    bar = progress.add_task(remote.name, total=remote.size)
                    hub_download.download_file(
                        remote, targets[remote], lambda done, p=progress, b=bar: p.update(b, completed=done)
                    )
        except KeyboardInterrupt:
            typer.echo("Stopped. The same command continues from here.", err=True)
            raise typer.Exit(INTERRUPTED) from None
    for target in targets.values():
        typer.echo(str(target))


def convert(
    source: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A .ckpt, .pth or .pt file.")],
    home: Home = None,
) -> None:
    """Turn a pickled checkpoint into a safetensors file in the models folder; nothing that is in it is run."""
    from backend.weights import detection
    from backend.weights.convert import convert as convert_checkpoint

    name = detection.registry_name(source.stem)
    target = models_dir(home or default_home()) / (source.stem + detection.SUFFIX)
    with report_errors():
        if not name or target.exists():
            raise typer.BadParameter("%s is already there" % target if name else "%s is no name for a model" % source.stem)
        target.parent.mkdir(parents=True, exist_ok=True)
        count = convert_checkpoint(source, target)
    typer.echo("%s: %d tensors in %s" % (name, count, target))


def delete(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    home: Home = None,
) -> None:
    """Delete a model's file and its unfinished downloads from the models folder; shipped models stay."""
    from backend.weights import removal

    folder = models_dir(home or default_home())
    paths = removal.list_model_files(name, folder)
    with report_errors():
        if not paths:
            raise LinewashError(ErrorCode.UNKNOWN_MODEL, f"{name} is not in {folder}")
        for link in removal.find_linked_folders(paths, folder):
            raise typer.BadParameter("%s is a link; delete it yourself, or the file it points to" % link)
        if not yes and not typer.confirm("Delete %s?" % ", ".join("%s (%s)" % (path, _describe_file(path)) for path in paths)):
            raise typer.Exit(1)
        removal.delete_files(paths, folder)
    typer.echo("%s was deleted." % name)


def format_size(count: int) -> str:
    """Bytes as text, in GB or kB."""
    return "%.2f GB" % (count / 1e9) if count >= 1e7 else "%.1f kB" % (count / 1e3)


def _describe_file(path: Path) -> str:
    return "a link" if path.is_symlink() else format_size(path.stat().st_size)


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    return Progress(*columns, transient=True)
