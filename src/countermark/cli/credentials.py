"""Showing a new application's credentials, the one time that they are shown."""

import base64

import click

from countermark.bootstrap.prepare import NewAccount


def credentials_of(account: NewAccount) -> dict[str, str]:
    """What the owner of a new application needs to know."""
    return {
        "client_id": account.application.id,
        "client_secret": base64.b64encode(account.application.client_secret).decode(),
        "pipeline_id": account.pipeline.id,
    }


def show(account: NewAccount, *, err: bool = False) -> None:
    """Print the credentials for a person to keep."""
    click.echo(
        f"User {account.user.name!r}, application {account.application.name!r}. "
        "Keep these; the secret is not shown again:",
        err=err,
    )
    for name, value in credentials_of(account).items():
        click.echo(f"  {name:14} {value}", err=err)
