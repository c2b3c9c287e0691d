"""`countermark worker`: the process that does the durable work."""

import click

from countermark import bootstrap, settings
from countermark.cli.logs import configure_logs
from countermark.cli.metrics import publish_metrics
from countermark.cli.processes import end_with_parent, stop_on_signals
from countermark.work.worker import run_worker


@click.command()
@click.option("--with-parent", is_flag=True, hidden=True)
def worker(with_parent: bool) -> None:
    """Run only the worker."""
    if with_parent:
        end_with_parent()
    stop = stop_on_signals()
    current = settings.load()
    configure_logs(current.log_level)
    if not with_parent:
        publish_metrics(current)
    bootstrap.prepare(current)
    parts = bootstrap.work_parts(current)
    try:
        run_worker(parts, bootstrap.workflows_url(current), bootstrap.executor_id(), stop)
    finally:
        parts.sandbox.close()
