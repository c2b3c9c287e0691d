"""`countermark keys`: the keys that sign links."""

from itertools import pairwise

import click
import msgspec

from countermark.bootstrap.keys import KEY_SETTLED_MS
from countermark.catalog.database import Database
from countermark.catalog.readers import keys as read_keys
from countermark.catalog.writers import keys as write_keys
from countermark.cli.opened import date, open_catalog
from countermark.errors import CountermarkError
from countermark.links.keys import LONGEST_LINK_SECONDS
from countermark.work.parts import now_ms


class KeyRow(msgspec.Struct, frozen=True):
    """A key as it is shown.

    Attributes:
        id: what links name it by.
        created_at: milliseconds since the epoch.
        links_until: when the last link that it can have signed ends; None while it signs.
    """

    id: int
    created_at: int
    links_until: int | None


@click.group()
def keys() -> None:
    """Rotate, list and retire the keys that sign links."""


@keys.command()
def rotate() -> None:
    """Make a new key for new links; old links live to their expiry."""
    with open_catalog().write() as connection:
        key = write_keys.rotate_link_key(connection, now_ms())
    seconds = KEY_SETTLED_MS // 1000
    click.echo(f"key {key.id} signs all new links in {seconds} seconds")


@keys.command("list")
@click.option("--json", "as_json", is_flag=True, help="print one JSON array")
def list_(as_json: bool) -> None:
    """List the keys, without their secrets."""
    rows = _rows(open_catalog())
    if as_json:
        click.echo(msgspec.json.encode(rows))
        return
    for row in rows:
        state = "signs" if row.links_until is None else f"last link ends {date(row.links_until)}"
        click.echo(f"{row.id}  created {date(row.created_at)}  {state}")


@keys.command()
@click.argument("key_id", type=int)
@click.option("--force", is_flag=True, help="also if its links may be alive; they end")
def retire(key_id: int, force: bool) -> None:
    """Drop an old key: links that it signed are refused within seconds."""
    database = open_catalog()
    row = next((row for row in _rows(database) if row.id == key_id), None)
    if row is None:
        raise CountermarkError(f"there is no key {key_id}")
    if row.links_until is None:
        raise CountermarkError(f"key {key_id} signs new links; rotate first")
    if row.links_until > now_ms() and not force:
        raise CountermarkError(
            f"links of key {key_id} may live until {date(row.links_until)};"
            " --force ends them before"
        )
    with database.write() as connection:
        retired = write_keys.retire_link_key(connection, key_id)
    if not retired:
        raise CountermarkError(f"key {key_id} was retired meanwhile")
    click.echo(f"retired key {key_id}")


def _rows(database: Database) -> list[KeyRow]:
    with database.read() as connection:
        found = read_keys.link_keys(connection)
    longest = LONGEST_LINK_SECONDS * 1000 + KEY_SETTLED_MS
    old = [
        KeyRow(key.id, key.created_at, newer.created_at + longest) for key, newer in pairwise(found)
    ]
    return [*old, KeyRow(found[-1].id, found[-1].created_at, None)]
