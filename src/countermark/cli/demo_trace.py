"""The demo's second act: a video marked for three recipients, one copy leaked, and traced."""

from pathlib import Path
from typing import Any, Self

import msgspec
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from countermark.cli.demo_client import DemoClient
from countermark.errors import CountermarkError
from countermark.media.sample_film import make_film, worsen

RECIPIENTS = ("anna@example.com", "bruno@example.com", "chiara@example.com")
LEAKER = RECIPIENTS[1]
# Eighty symbols; the worst of many copies was named by half of them, so chance has no say.
FILM_SECONDS = 60
PRESET = "h264-360p"


async def show_trace(console: Console, client: DemoClient, folder: Path) -> None:
    """Mark, hand out, leak, trace; all through the public interface.

    Raises:
        CountermarkError: the trace names anybody else, or nobody.
    """
    console.print("\n[bold]Every copy marked, every leak traced[/]")
    with Bar(console, "making a film") as told:
        film = make_film(folder / "film.mp4", FILM_SECONDS, told)
    upload = await client.upload(film, lambda _count: None)
    await client.wait_until_understood(upload)
    with Bar(console, "marking it in two variants") as told:
        master = await client.master(f"demo/{film.name}", PRESET, told)
    console.print(
        f"  a master of {master['size_on_disk']:,} bytes; each copy has {master['size']:,}"
    )
    copies = [await _copy(client, master["id"], tag, folder) for tag in RECIPIENTS]
    _compare(console, copies)
    with console.status("recording one of them badly: cut, mirrored, half size, blurred, CRF 28"):
        leak = worsen(copies[RECIPIENTS.index(LEAKER)], folder / "leak.mkv")
    upload = await client.upload(leak, lambda _count: None)
    await client.wait_until_understood(upload)
    with Bar(console, "tracing the leak") as told:
        found = await client.trace(f"demo/{leak.name}", told)
    _tell(console, found)


class Bar:
    """A progress bar that is told parts of one."""

    def __init__(self, console: Console, what: str) -> None:
        columns = (TextColumn(what), BarColumn(), TimeElapsedColumn())
        self._progress = Progress(*columns, console=console)
        self._task = self._progress.add_task("", total=1.0)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def __call__(self, part: float) -> None:
        """Show that this part is done."""
        self._progress.update(self._task, completed=part)


async def _copy(client: DemoClient, file_id: str, tag: str, folder: Path) -> Path:
    link = await client.link(file_id, streaming=False, autograph_tag=tag)
    path = folder / f"copy of {tag.partition('@')[0]}.mp4"
    await client.fetch(link, path, lambda _count: None)
    return path


def _compare(console: Console, copies: list[Path]) -> None:
    contents = [np.fromfile(path, np.uint8) for path in copies]
    if len({len(content) for content in contents}) > 1:
        raise CountermarkError("the copies are not of one size")
    for tag, content in zip(RECIPIENTS, contents, strict=True):
        differ = np.mean(content != contents[0])
        text = f", {differ:.0%} differ from the first" if differ else ""
        console.print(f"  a copy for [bold]{tag}[/]: {len(content):,} bytes{text}", highlight=False)


def _tell(console: Console, found: dict[str, Any]) -> None:
    data = found.get("extracted_data") or {}
    if data.get("autograph_tag") != LEAKER:
        raise CountermarkError(f"the trace did not name {LEAKER}: {msgspec.json.encode(found)!r}")
    (recipient,) = data["recipients"]
    console.print(
        f"the leak was made from the copy of [bold green]{data['autograph_tag']}[/];"
        f" the chance to accuse an innocent so is at most {recipient['probability']:.1e}",
        highlight=False,
    )
    console.print("[bold]The report[/]")
    console.print(f"  {found['report']['html']}", soft_wrap=True, highlight=False)
