"""`countermark worker`: the process that does the durable work."""

import os
import sys

import click

from countermark.bootstrap.work import work_parts, worker_identity
from countermark.bootstrap.workflows import workflows_url
from countermark.cli.processes import stop_on_signals
from countermark.cli.started import started
from countermark.work.worker import run_worker


@click.command()
@click.option("--with-parent", is_flag=True, hidden=True)
def worker(with_parent: bool) -> None:
    """Run only the worker."""
    stop = stop_on_signals()
    current = started(with_parent=with_parent)
    with worker_identity(current) as identity:
        parts = work_parts(current, identity.name)
        try:
            run_worker(parts, workflows_url(current), stop)
        finally:
            parts.sandbox.close()
        # Workflows under way are threads that nobody waits for; their work goes on at the next
        # start, and the processes that do it end with this one.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)
