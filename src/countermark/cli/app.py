"""`countermark app`: the applications that may call the API."""

import click
import msgspec

from countermark.api import scopes
from countermark.bootstrap.prepare import create_application
from countermark.catalog.database import Database
from countermark.catalog.readers import accounts as read_accounts
from countermark.catalog.records import UserRecord
from countermark.catalog.writers import accounts as write_accounts
from countermark.cli.credentials import credentials_of, show
from countermark.cli.opened import date, open_catalog
from countermark.errors import CountermarkError
from countermark.work.parts import now_ms


@click.group()
def app() -> None:
    """Create, list and revoke applications."""


@app.command()
@click.argument("name")
@click.option("--scopes", "scope_list", default=",".join(scopes.ALL), help="comma separated")
@click.option("--json", "as_json", is_flag=True, help="print one JSON object")
def create(name: str, scope_list: str, as_json: bool) -> None:
    """Create an application with a default pipeline, and print its credentials once."""
    wanted = tuple(part.strip() for part in scope_list.split(",") if part.strip())
    unknown = [scope for scope in wanted if scope not in scopes.ALL]
    if unknown or not wanted:
        accepted = ", ".join(scopes.ALL)
        raise click.BadParameter(
            f"unknown: {', '.join(unknown) or 'none given'}; known: {accepted}"
        )
    database = open_catalog()
    owner = _owner(database)
    with database.write() as connection:
        account = create_application(connection, owner, name, wanted)
    if as_json:
        click.echo(msgspec.json.encode(credentials_of(account)))
    else:
        show(account)


@app.command("list")
@click.option("--json", "as_json", is_flag=True, help="print one JSON array")
def list_(as_json: bool) -> None:
    """List the applications, without their secrets."""
    with open_catalog().read() as connection:
        applications = read_accounts.applications(connection)
    rows = [
        {
            "client_id": item.id,
            "name": item.name,
            "scopes": ",".join(item.scopes),
            "created": date(item.created_at),
            "revoked": date(item.revoked_at),
        }
        for item in applications
    ]
    if as_json:
        click.echo(msgspec.json.encode(rows))
        return
    for row in rows:
        state = f"revoked {row['revoked']}" if row["revoked"] else "active"
        click.echo(f"{row['client_id']}  {row['name']}  {state}  {row['scopes']}")


@app.command()
@click.argument("client_id")
def revoke(client_id: str) -> None:
    """End an application: its tokens, signatures and links stop working within seconds."""
    with open_catalog().write() as connection:
        if not write_accounts.revoke_application(connection, client_id, now_ms()):
            raise CountermarkError(f"no active application has the client_id {client_id!r}")
    click.echo(f"revoked {client_id}")


def _owner(database: Database) -> UserRecord:
    with database.read() as connection:
        user = read_accounts.first_user(connection)
    if user is None:
        raise CountermarkError("the catalog has no user; run `countermark serve` once")
    return user
