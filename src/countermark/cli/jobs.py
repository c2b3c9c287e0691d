"""`countermark jobs`: conversions, seen and steered."""

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from countermark.cli.client import Client
from countermark.cli.reached import reach, server_options
from countermark.errors import CountermarkError

console = Console(stderr=True, highlight=False)
_CANCELLED = "0x0220004"


@click.group()
def jobs() -> None:
    """See, follow, cancel and retry conversions."""


@jobs.command("list")
@click.option("--status", help="only these, comma separated, such as QUEUED,ENCODING")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 5000))
@click.option("--json", "as_json", is_flag=True, help="print the API's answer")
@server_options
def list_(*, status: str | None, limit: int, as_json: bool, **server: str | None) -> None:
    """List jobs, newest first."""
    params = {"sort": "created_at", "direction": "-1", "limit": str(limit), "expand": "file"}
    params |= {"status": status} if status else {}
    page = asyncio.run(_with(server, lambda client: client.jobs(**params)))
    if as_json:
        click.echo(msgspec.json.encode(page))
        return
    for job in page["jobs"]:
        click.echo(_line(job))


@jobs.command()
@click.argument("job_id")
@server_options
def show(job_id: str, **server: str | None) -> None:
    """Show all that is known of a job, as JSON."""
    job = asyncio.run(_with(server, lambda client: client.job(job_id)))
    click.echo(msgspec.json.format(msgspec.json.encode(job), indent=2))


@jobs.command()
@click.argument("job_id")
@server_options
def cancel(job_id: str, **server: str | None) -> None:
    """Cancel a job that waits or runs."""
    job = asyncio.run(_with(server, lambda client: client.tell_job(job_id, "cancel")))
    click.echo(_line(job))


@jobs.command()
@click.argument("job_id")
@server_options
def retry(job_id: str, **server: str | None) -> None:
    """Queue a failed or cancelled job again."""
    job = asyncio.run(_with(server, lambda client: client.tell_job(job_id, "retry")))
    click.echo(_line(job))


@jobs.command()
@click.argument("job_id")
@server_options
def watch(job_id: str, **server: str | None) -> None:
    """Follow a job to its end; exits with 1 if it fails."""

    async def follow(client: Client) -> dict[str, Any]:
        await client.job(job_id)  # tells what is wrong with the id, or the server, at once
        return await follow_job(client, job_id)

    click.echo(_line(asyncio.run(_with(server, follow))))


async def follow_job(client: Client, job_id: str) -> dict[str, Any]:
    """Show a bar until a job has ended.

    Raises:
        CountermarkError: it failed.
    """
    job: dict[str, Any] = {}
    with _progress() as progress:
        task = progress.add_task("waiting", total=100)
        async with aclosing(client.follow(job_id)) as events:
            async for job in events:
                done = job["percentage_completed"]
                progress.update(task, completed=done, description=job["status"].lower())
    if job.get("status") != "SUCCESS":
        raise CountermarkError(f"{job.get('error_code')}: {job.get('error_msg')}")
    return job


async def _with(server: dict[str, str | None], work: Any) -> Any:
    async with reach(server["server"], server["client_id"], server["client_secret"]) as client:
        return await work(client)


def _line(job: dict[str, Any]) -> str:
    made = datetime.fromtimestamp(job["created_at"] / 1000, UTC).isoformat(timespec="seconds")
    status = "CANCELLED" if job.get("error_code") == _CANCELLED else job["status"]
    parts = [job["id"], made, status.ljust(11), f"{job['percentage_completed']:3d} %"]
    parts.append(job["input"].get("file", {}).get("name") or job["input"]["input_name"])
    if job.get("error_msg"):
        parts.append(job["error_msg"])
    return "  ".join(parts)


def _progress() -> Progress:
    """A bar in a terminal, nothing in a file."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
