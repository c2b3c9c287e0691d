"""`countermark serve`: the whole service, or one kind of process of it."""

import threading
import time
import urllib.request

import click

from countermark import settings
from countermark.cli.lazy import LazyGroup
from countermark.cli.processes import Child, keep_running, stop_on_signals
from countermark.cli.started import started
from countermark.settings import Settings

READY_SECONDS = 60.0
PARTS = {
    "api": "countermark.cli.serve_api:api",
    "edge": "countermark.cli.serve_edge:edge",
}


@click.group(cls=LazyGroup, lazy=PARTS, invoke_without_command=True)
@click.option("--edges", default=1, show_default=True, type=click.IntRange(1, 64))
@click.pass_context
def serve(context: click.Context, edges: int) -> None:
    """Run API, edge and worker on this machine (or only one kind: serve api, serve edge)."""
    if context.invoked_subcommand:
        return
    current = started()
    stop = stop_on_signals()
    environ = settings.environment_of(current)
    children = [
        Child("api", ["serve", "api"], environ),
        *(Child(f"edge {number + 1}", ["serve", "edge"], environ) for number in range(edges)),
        Child("worker", ["worker"], environ),
    ]
    threading.Thread(target=_announce, args=(current, stop), daemon=True).start()
    keep_running(children, stop)


def _announce(current: Settings, stop: threading.Event) -> None:
    """Say that the service is up once it answers."""
    deadline = time.monotonic() + READY_SECONDS
    urls = [f"http://{_reachable(current)}:{port}/health" for port in _ports(current)]
    while urls and time.monotonic() < deadline and not stop.wait(0.1):
        urls = [url for url in urls if not _answers(url)]
    if not urls:
        click.echo(f"Countermark is up: API {current.api_url}  edge {current.edge_url}")
        click.echo(f"Its reference: {current.api_url}/docs")


def _ports(current: Settings) -> tuple[int, int]:
    return current.api_port, current.edge_port


def _reachable(current: Settings) -> str:
    if current.host in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
        return "127.0.0.1"
    return f"[{current.host}]" if ":" in current.host else current.host


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - our own address
            return bool(answer.status == 200)  # noqa: PLR2004 - HTTP's OK
    except OSError:
        return False
