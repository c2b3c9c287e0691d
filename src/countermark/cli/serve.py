"""`countermark serve`: the whole service, or one kind of process of it."""

import asyncio
import os
import threading
import time
import urllib.request

import click
from granian.constants import Interfaces, Loops
from granian.log import LogLevels
from granian.server import Server

from countermark import bootstrap, settings
from countermark.cli.credentials import show
from countermark.cli.logs import configure_logs
from countermark.cli.metrics import publish_metrics
from countermark.cli.processes import Child, end_with_parent, keep_running, stop_on_signals
from countermark.edge.limits import Limits
from countermark.edge.serve import serve as serve_edge
from countermark.settings import Settings

READY_SECONDS = 60.0
MOST_API_PROCESSES = 4

with_parent = click.option("--with-parent", is_flag=True, hidden=True)


@click.group(invoke_without_command=True)
@click.option("--edges", default=1, show_default=True, type=click.IntRange(1, 64))
@click.pass_context
def serve(context: click.Context, edges: int) -> None:
    """Run API, edge and worker on this machine (or only one kind: serve api, serve edge)."""
    if context.invoked_subcommand:
        return
    current = _start()
    stop = stop_on_signals()
    environ = settings.environment_of(current)
    children = [
        Child("api", ["serve", "api"], environ),
        *(Child(f"edge {number + 1}", ["serve", "edge"], environ) for number in range(edges)),
        Child("worker", ["worker"], environ),
    ]
    threading.Thread(target=_announce, args=(current, stop), daemon=True).start()
    keep_running(children, stop)


@serve.command("api")
@with_parent
def serve_api(with_parent: bool) -> None:
    """Run only the API."""
    current = _start(with_parent=with_parent)
    # Granian's workers build the app from the environment.
    os.environ.update(settings.environment_of(current))
    Server(
        "countermark.cli.serve:granian_app",
        factory=True,
        address=current.host,
        port=current.api_port,
        interface=Interfaces.ASGI,
        loop=Loops.uvloop,
        workers=min(os.cpu_count() or 1, MOST_API_PROCESSES),
        websockets=False,
        respawn_failed_workers=True,
        respawn_interval=0.5,
        workers_kill_timeout=30,
        log_level=LogLevels.warning,
    ).serve()


@serve.command("edge")
@with_parent
def serve_edge_only(with_parent: bool) -> None:
    """Run only an edge; any number of them share the port."""
    current = _start(with_parent=with_parent)
    parts = bootstrap.edge_parts(current)
    limits = Limits(idle_seconds=current.idle_seconds, max_connections=current.max_connections)
    asyncio.run(serve_edge(parts, current.host, current.edge_port, limits=limits))


def granian_app() -> object:
    """What each Granian worker calls: the API, tied to the life of Granian's main process."""
    end_with_parent()
    configure_logs(settings.load().log_level)
    return bootstrap.api_app()


def _start(*, with_parent: bool = False) -> Settings:
    if with_parent:
        end_with_parent()
    current = settings.load()
    configure_logs(current.log_level)
    if not with_parent:
        publish_metrics(current)
    account = bootstrap.prepare(current)
    if account:
        show(account)
    return current


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
