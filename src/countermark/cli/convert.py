"""`countermark convert`: a file into another one, here or by a service elsewhere."""

import asyncio
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from countermark.cli.client import Client
from countermark.cli.jobs import follow_job
from countermark.cli.reached import reach, server_options
from countermark.errors import CountermarkError, PublicError
from countermark.ids import new_id
from countermark.media.builtin_presets import PRESETS, BuiltinPreset
from countermark.media.child_process import run_in_child
from countermark.media.child_protocol import ChildLimits
from countermark.media.transcoding import TRANSCODE, Transcoded, TranscodeRequest

console = Console(stderr=True, highlight=False)
_COLUMNS = (
    TextColumn("{task.description}"),
    BarColumn(),
    TaskProgressColumn(),
    TimeElapsedColumn(),
    TimeRemainingColumn(),
)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--preset", required=True, help="such as h264-720p; an unknown one lists them all")
@click.option(
    "--output", type=click.Path(path_type=Path), help="default: FILE_PRESET here, not replaced"
)
@click.option("--force", is_flag=True, help="replace the output if it is there")
@click.option("--pipeline", metavar="ID", help="with --server; default: the oldest one")
@server_options
def convert(
    *,
    file: Path,
    preset: str,
    output: Path | None,
    force: bool,
    pipeline: str | None,
    **server: str | None,
) -> None:
    """Convert FILE, on this machine and without a service, or with --server elsewhere."""
    try:
        if server["server"] is None:
            target = _local(file.absolute(), preset, output, force=force)
        else:
            work = _remote(file, preset, output, pipeline, server, force=force)
            target = asyncio.run(work)
    except PublicError as error:
        raise CountermarkError(f"{error.message}. {error.detail or ''}".rstrip()) from error
    click.echo(target)


def _local(file: Path, key: str, output: Path | None, *, force: bool) -> Path:
    preset = next((one for one in PRESETS if one.key == key), None)
    if preset is None:
        known = ", ".join(one.key for one in PRESETS)
        raise CountermarkError(f"no preset is called {key!r}; known: {known}")
    target = _target(file, key, preset.extension, output, force=force)
    part = target.with_name(f".{target.name}.part")
    try:
        done = _transcoded(file, part, preset)
        part.rename(target)
    finally:
        part.unlink(missing_ok=True)
    for warning in done.warnings:
        console.print(f"[yellow]{escape(warning)}[/]")
    return target


def _transcoded(file: Path, target: Path, preset: BuiltinPreset) -> Transcoded:
    request = TranscodeRequest(str(file), str(target.absolute()), preset.settings)
    with _progress() as progress:
        task = progress.add_task("converting", total=1.0)
        return run_in_child(
            TRANSCODE,
            request,
            Transcoded,
            ChildLimits(),
            lambda part: progress.update(task, completed=part),
        )


async def _remote(
    file: Path,
    preset: str,
    output: Path | None,
    pipeline: str | None,
    server: dict[str, str | None],
    *,
    force: bool,
) -> Path:
    async with reach(server["server"], server["client_id"], server["client_secret"]) as client:
        preset_id = await client.preset_id(preset)
        pipeline_id = pipeline or await _first_pipeline(client)
        key = f"convert/{new_id()}/{file.name}"
        await _put_in(client, file, (pipeline_id, key))
        job = await client.create_job(
            {
                "pipeline": {"id": pipeline_id},
                "input": {"input_name": key},
                "outputs": [{"preset": {"id": preset_id}}],
            }
        )
        ended = await follow_job(client, job["id"])
        made = await client.file(ended["outputs"][0]["file"]["id"])
        extension = made["name"].rpartition(".")[2]
        target = _target(file, preset, extension, output, force=force)
        await _fetch(client, made, target)
        return target


async def _first_pipeline(client: Client) -> str:
    pipelines = await client.pipelines()
    if not pipelines:
        raise CountermarkError("the account has no pipeline; create one first")
    return str(pipelines[0]["id"])


async def _put_in(client: Client, file: Path, place: tuple[str, str]) -> None:
    with _progress() as progress:
        task = progress.add_task("uploading", total=file.stat().st_size)
        upload = await client.upload_to(
            place, file, lambda count: progress.update(task, advance=count)
        )
    await client.wait_until_understood(upload)


async def _fetch(client: Client, made: dict[str, Any], target: Path) -> None:
    part = target.with_name(f".{target.name}.part")
    link = await client.link(made["id"], streaming=False)
    try:
        with _progress() as progress:
            task = progress.add_task("downloading", total=made["size"])
            await client.fetch(link, part, lambda count: progress.update(task, advance=count))
        part.rename(target)
    finally:
        part.unlink(missing_ok=True)


def _target(file: Path, preset: str, extension: str, output: Path | None, *, force: bool) -> Path:
    name = f"{file.stem}_{preset}.{extension}"
    target = Path(name) if output is None else output / name if output.is_dir() else output
    if target.exists() and not force:
        raise CountermarkError(f"{target} is there already; --force replaces it")
    return target


def _progress() -> Progress:
    """A bar in a terminal, nothing in a file."""
    return Progress(*_COLUMNS, console=console, transient=True, disable=not console.is_terminal)
