"""How commands reach a service: one that is named, or the one of the settings at hand."""

import secrets
from collections.abc import Callable
from typing import Any

import click

from countermark.api import scopes
from countermark.api.authorization import token_hash
from countermark.catalog.database import Database
from countermark.catalog.readers import accounts as read_accounts
from countermark.catalog.writers import accounts as write_accounts
from countermark.cli.client import Client
from countermark.cli.opened import open_settings
from countermark.errors import CountermarkError
from countermark.work.parts import now_ms

_TOKEN_MS = 86_400_000


def server_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that name a service elsewhere."""
    for option in (
        click.option("--client-secret", envvar="CLIENT_SECRET", hidden=True),
        click.option("--client-id", envvar="CLIENT_ID", help="with the secret in CLIENT_SECRET"),
        click.option("--server", metavar="URL", help="the API of a service elsewhere"),
    ):
        command = option(command)
    return command


def reach(server: str | None, client_id: str | None, client_secret: str | None) -> Client:
    """A client of the service that the options name, or of this machine's own.

    Whoever can read this machine's catalog may do everything, so no secret is asked for there.
    """
    if server is None:
        return _own()
    if not client_id or not client_secret:
        raise CountermarkError("give --client-id, and the secret in the variable CLIENT_SECRET")
    return Client(server, {"client_id": client_id, "client_secret": client_secret})


def _own() -> Client:
    settings = open_settings()
    database = Database(settings.database_url)
    try:
        with database.write() as connection:
            known = read_accounts.applications(connection)
            living = [application for application in known if application.revoked_at is None]
            if not living:
                raise CountermarkError(
                    "no application has access; make one: countermark app create"
                )
            token = secrets.token_urlsafe(32)
            granted = scopes.effective(living[0].scopes)
            write_accounts.issue_token(
                connection,
                living[0].id,
                granted,
                token_hash(token),
                now_ms() + _TOKEN_MS,
                now_ms(),
            )
    finally:
        database.close()
    return Client(settings.api_url, {"token": token})
