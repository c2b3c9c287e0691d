"""What every long-running command does first."""

from countermark import settings
from countermark.cli.logs import configure_logs
from countermark.cli.metrics import publish_metrics
from countermark.cli.opened import make_ready
from countermark.cli.processes import end_with_parent
from countermark.settings import Settings


def started(*, with_parent: bool = False) -> Settings:
    """Give the settings, with everything that they name made ready.

    Args:
        with_parent: whether `countermark serve` started this process, and has done its part.
    """
    if with_parent:
        end_with_parent()
    current = settings.load()
    configure_logs(current.log_level)
    if not with_parent:
        publish_metrics(current)
        make_ready(current)
    return current
