"""`countermark demo`: the whole way of a video, watched.

A service in a temporary folder, a video put in, understood, listed, and fetched back through a
signed link; then a film marked for three recipients, and one of them found by a bad recording of
the copy. Everything goes through the public interface, as any client's would.
"""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from countermark.cli.demo_client import DemoClient, Upload
from countermark.cli.demo_trace import show_trace
from countermark.cli.processes import stop_on_signals
from countermark.errors import CountermarkError
from countermark.media.sample import make_sample

START_SECONDS = 60.0
TERMINATE_SECONDS = 60.0
SAMPLE_SECONDS = 10

console = Console()


@click.command()
@click.option("--video", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--once", is_flag=True, help="exit when done; 0 only if all of it worked")
def demo(video: Path | None, once: bool) -> None:
    """Show the whole way of a video and of a leak on this machine, in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="countermark-demo-") as name:
        folder = Path(name)
        environ = _environ(folder)
        with _service(folder, environ):
            source = video or _sample(folder)
            asyncio.run(_show(source, folder, environ))
            if not once:
                console.print("\nThe service stays up for your browser. Ctrl-C ends it.")
                stop_on_signals().wait()
    console.print("[green]All of it worked.[/]" if once else "Ended; the folder is removed.")


def _environ(folder: Path) -> dict[str, str]:
    api_port, edge_port = _free_ports(2)
    return {
        **{key: value for key, value in os.environ.items() if not key.startswith("COUNTERMARK_")},
        "COUNTERMARK_DATA_DIR": str(folder / "data"),
        "COUNTERMARK_API_PORT": str(api_port),
        "COUNTERMARK_EDGE_PORT": str(edge_port),
        "COUNTERMARK_LOG_LEVEL": "warning",
    }


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@contextlib.contextmanager
def _service(folder: Path, environ: dict[str, str]) -> Iterator[None]:
    log = folder / "service.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "countermark", "serve"],
            env=environ,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        with console.status("starting API, edge and worker"):
            _wait_until_up(process, log)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(TERMINATE_SECONDS)


def _wait_until_up(process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while b"Countermark is up" not in log.read_bytes():
        if process.poll() is not None or time.monotonic() > deadline:
            raise CountermarkError(f"the service did not start:\n{log.read_text()[-3000:]}")
        time.sleep(0.05)
    console.print(log.read_text().splitlines()[-2], style="bold")


def _sample(folder: Path) -> Path:
    with Progress(TextColumn("making a sample video"), BarColumn(), console=console) as progress:
        task = progress.add_task("", total=1.0)
        return make_sample(
            folder / "sample.mp4",
            SAMPLE_SECONDS,
            progress=lambda part: progress.update(task, completed=part),
        )


async def _show(source: Path, folder: Path, environ: dict[str, str]) -> None:
    async with DemoClient(_credentials(environ), environ["COUNTERMARK_API_PORT"]) as client:
        upload = await _put_in(client, source)
        file = await client.file(upload.file_id)
        _describe(file)
        console.print("\n[bold]The listing[/] (GET /v1/files/?type=file&human=true)")
        console.print_json(msgspec.json.encode(await client.files()).decode())
        link = await client.link(upload.file_id, streaming=False)
        await _fetch_and_compare(client, link, source, folder)
        console.print("\n[bold]Fetch it yourself[/]")
        console.print(f"  curl -OJ '{link}'", soft_wrap=True, highlight=False)
        streaming = await client.link(upload.file_id, streaming=True)
        console.print("[bold]or watch it in a browser[/]")
        console.print(f"  {streaming}", soft_wrap=True, highlight=False)
        await show_trace(console, client, folder)


def _credentials(environ: dict[str, str]) -> dict[str, str]:
    command = [sys.executable, "-m", "countermark", "app", "create", "demo", "--json"]
    answer = subprocess.run(command, env=environ, check=True, capture_output=True)
    return msgspec.json.decode(answer.stdout, type=dict[str, str])


async def _put_in(client: DemoClient, source: Path) -> Upload:
    columns = (TextColumn("uploading"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=source.stat().st_size)
        upload = await client.upload(source, lambda count: progress.update(task, advance=count))
    with console.status("understanding it"):
        await client.wait_until_understood(upload)
    return upload


def _describe(file: dict[str, object]) -> None:
    console.print(f"\n[bold]{file['name']}[/] is understood")
    for key in ("container", "mime_type", "duration", "size", "md5_checksum"):
        console.print(f"  {key:14} {file.get(key)}", highlight=False)
    for key in ("video_tracks", "audio_tracks", "subtitle_tracks"):
        tracks = file.get(key)
        for track in tracks if isinstance(tracks, list) else ():
            text = ", ".join(f"{name} {value}" for name, value in track.items())
            console.print(f"  {key[:-1]:14} {text}", highlight=False, soft_wrap=True)
    thumbnail = str(file.get("thumbnail") or "none")
    console.print(f"  {'thumbnail':14} {thumbnail[:23]}… ({len(thumbnail)} characters)")


async def _fetch_and_compare(client: DemoClient, link: str, source: Path, folder: Path) -> None:
    columns = (TextColumn("downloading"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    target = folder / "fetched"
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=source.stat().st_size)
        await client.fetch(link, target, lambda count: progress.update(task, advance=count))
    with source.open("rb") as one, target.open("rb") as other:
        while (piece := one.read(1 << 20)) == other.read(1 << 20):
            if not piece:
                console.print("what came back is byte for byte what went in", style="green")
                return
    raise CountermarkError("what came back differs from what went in")
