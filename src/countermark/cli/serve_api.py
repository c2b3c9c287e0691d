"""`countermark serve api`: the API's processes."""

import multiprocessing
import os

import click
from granian.constants import Interfaces, Loops
from granian.log import LogLevels
from granian.server import Server

from countermark import settings
from countermark.cli.started import started

MOST_API_PROCESSES = 4


@click.command()
@click.option("--with-parent", is_flag=True, hidden=True)
def api(with_parent: bool) -> None:
    """Run only the API."""
    current = started(with_parent=with_parent)
    # A forked worker has Granian's own handlers of signals until its app is loaded, and so never
    # hears of a stop that comes before; it was then killed half a minute later.
    multiprocessing.set_start_method("spawn")
    # Granian's workers build the app from the environment.
    os.environ.update(settings.environment_of(current))
    Server(
        "countermark.cli.granian_app:granian_app",
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
