"""`countermark worker`: the process that does the durable work."""

import click

from countermark.bootstrap.work import executor_id, work_parts
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
    parts = work_parts(current)
    try:
        run_worker(parts, workflows_url(current), executor_id(), stop)
    finally:
        parts.sandbox.close()
