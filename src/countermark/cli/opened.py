"""How commands open the catalog of the settings at hand."""

from datetime import UTC, datetime

from countermark import settings
from countermark.catalog.database import Database
from countermark.settings import Settings


def make_ready(current: Settings, *, err: bool = False) -> None:
    """Make what the settings name ready for use."""
    # Whom `countermark serve` started finds all ready, and needs none of what makes it so.
    from countermark.bootstrap.prepare import prepare  # noqa: PLC0415 - see above
    from countermark.cli.credentials import show  # noqa: PLC0415 - likewise

    account = prepare(current)
    if account:
        # The very first call made the owner's own application; it is shown only once.
        show(account, err=err)


def open_settings() -> Settings:
    """The settings, with everything that they name made ready."""
    current = settings.load()
    make_ready(current, err=True)
    return current


def open_catalog() -> Database:
    """The catalog, made ready."""
    return Database(open_settings().database_url)


def date(milliseconds: int | None) -> str | None:
    """A time as people read it; None stays None."""
    if milliseconds is None:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="seconds")
