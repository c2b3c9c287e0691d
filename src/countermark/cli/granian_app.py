"""What each of Granian's workers calls; Granian's main process has no need of it."""

from countermark import settings
from countermark.bootstrap.api import api_app
from countermark.cli.logs import configure_logs
from countermark.cli.processes import end_with_parent


def granian_app() -> object:
    """The API, tied to the life of Granian's main process."""
    end_with_parent()
    configure_logs(settings.load().log_level)
    return api_app()
