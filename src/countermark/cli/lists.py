"""`countermark lists`: addresses that links with `anti_fraud` are refused to."""

from pathlib import Path

import click
import msgspec

from countermark.bootstrap.work import list_keeper
from countermark.catalog.readers import address_lists as read_lists
from countermark.catalog.records import AddressListRecord
from countermark.catalog.writers import address_lists as write_lists
from countermark.cli.opened import date, open_settings
from countermark.errors import AddressListError, CountermarkError
from countermark.links.addresses import parse_address
from countermark.links.netset.lists import ListKind
from countermark.work.list_source import is_url, shown
from countermark.work.lists import ListKeeper
from countermark.work.parts import now_ms

URL_HOURS = 24
HOUR_SECONDS = 3600
MOST_HOURS = 24 * 365


@click.group()
def lists() -> None:
    """Look after lists of addresses that links with anti_fraud are refused to."""


@lists.command()
@click.argument("name")
@click.argument("source")
@click.option(
    "--kind",
    type=click.Choice([kind.value for kind in ListKind]),
    default=ListKind.ANONYMIZER.value,
    show_default=True,
    help="why its addresses are refused",
)
@click.option(
    "--every",
    type=click.IntRange(1, MOST_HOURS),
    help=f"hours between refreshes; a URL's default is {URL_HOURS}, a file has none",
)
@click.option("--internal", is_flag=True, help="the URL may lead to private addresses")
def add(name: str, source: str, kind: str, every: int | None, internal: bool) -> None:
    """Load a list from a file or a URL, and keep it if it is good."""
    if is_url(source):
        every = every or URL_HOURS
    else:
        source = str(Path(source).absolute())
    seconds = every * HOUR_SECONDS if every else None
    added = _keeper().add(name, ListKind(kind), source, seconds, internal=internal)
    click.echo(f"{name}: {added.ranges} ranges")


@lists.command()
@click.argument("name")
def remove(name: str) -> None:
    """Drop a list."""
    keeper = _keeper()
    _find(keeper, name)
    with keeper.database.write() as connection:
        write_lists.remove_list(connection, name, now_ms())
    click.echo(f"removed {name}")


@lists.command()
@click.argument("name", required=False)
@click.option("--force", is_flag=True, help="also if it lost more than half of itself")
def refresh(name: str | None, force: bool) -> None:
    """Load one list anew, or all; one that is broken stays as it was."""
    keeper = _keeper()
    broken = 0
    for record in [_find(keeper, name)] if name else _all(keeper):
        try:
            click.echo(f"{record.name}: {keeper.refresh(record, force=force)} ranges")
        except AddressListError as error:
            broken += 1
            click.echo(f"{record.name}: kept as it was: {error}", err=True)
    if broken:
        raise CountermarkError(f"{broken} of the lists could not be renewed")


@lists.command()
@click.argument("address")
def check(address: str) -> None:
    """Tell which lists have an address."""
    try:
        address = parse_address(address)
    except ValueError as error:
        raise click.BadParameter(f"{address!r} is no address") from error
    found = _keeper().load().found(address)
    for one in found:
        click.echo(f"{address} is on {one.name} ({one.kind})")
    if not found:
        click.echo(f"{address} is on no list")


@lists.command("list")
@click.option("--json", "as_json", is_flag=True, help="print one JSON array")
def list_(as_json: bool) -> None:
    """List the lists, and what was wrong when they were last refreshed."""
    rows = [_row(record) for record in _all(_keeper())]
    if as_json:
        click.echo(msgspec.json.encode(rows))
        return
    for row in rows:
        click.echo("  ".join(f"{value}" for value in row.values() if value is not None))


def _row(record: AddressListRecord) -> dict[str, str | int | None]:
    return {
        "name": record.name,
        "kind": record.kind,
        "source": shown(record.source),
        "ranges": record.ranges,
        "loaded": date(record.loaded_at),
        "due": date(record.due_at),
        "problem": record.problem,
    }


def _keeper() -> ListKeeper:
    return list_keeper(open_settings())


def _all(keeper: ListKeeper) -> list[AddressListRecord]:
    with keeper.database.read() as connection:
        return read_lists.address_lists(connection)


def _find(keeper: ListKeeper, name: str) -> AddressListRecord:
    with keeper.database.read() as connection:
        record = read_lists.address_list(connection, name)
    if record is None:
        raise CountermarkError(f"there is no list {name!r}")
    return record
