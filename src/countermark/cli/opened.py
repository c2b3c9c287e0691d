"""How commands open the catalog of the settings at hand."""

from datetime import UTC, datetime

from countermark import bootstrap, settings
from countermark.catalog.database import Database
from countermark.cli.credentials import show
from countermark.settings import Settings


def open_settings() -> Settings:
    """The settings, with everything that they name made ready."""
    current = settings.load()
    account = bootstrap.prepare(current)
    if account:
        # The very first call made the owner's own application; say so, for it is shown only once.
        show(account, err=True)
    return current


def open_catalog() -> Database:
    """The catalog, made ready."""
    return Database(open_settings().database_url)


def date(milliseconds: int | None) -> str | None:
    """A time as people read it; None stays None."""
    if milliseconds is None:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="seconds")
