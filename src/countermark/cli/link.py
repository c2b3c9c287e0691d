"""`countermark link`: single links."""

import re
import time
from urllib.parse import urlsplit

import click

from countermark.bootstrap.keys import read_ring
from countermark.catalog.database import Database
from countermark.catalog.writers.revocations import revoke as write_revocation
from countermark.cli.opened import open_catalog
from countermark.errors import CountermarkError, LinkExpiredError, LinkInvalidError
from countermark.links.keys import LONGEST_LINK_SECONDS
from countermark.links.link import PREFIX, read
from countermark.links.revocations import Revoked
from countermark.work.parts import now_ms

_SERIAL = re.compile(r"[A-Za-z0-9_-]{8,64}\Z")


@click.group()
def link() -> None:
    """Look after single links."""


@link.command()
@click.argument("link")
def revoke(link: str) -> None:
    """End a link, given as its URL or its serial, running downloads too."""
    database = open_catalog()
    serial, until = _read(database, link) if "/" in link else _given(link)
    with database.write() as connection:
        new = write_revocation(connection, Revoked.LINK, serial, until, now_ms())
    click.echo(f"revoked {serial}" if new else f"{serial} was revoked before")


def _read(database: Database, url: str) -> tuple[str, int]:
    """The serial of a link that was minted here, and when it ends anyway, in milliseconds."""
    path = urlsplit(url).path
    before, _, name = path.rpartition("/")
    folder, _, token = before.rpartition("/")
    if not (folder + "/").endswith(PREFIX):
        raise CountermarkError("this is no link of an edge; give its whole URL, or its serial")
    try:
        found = read(token, name, read_ring(database), time.time())
    except LinkExpiredError as error:
        raise CountermarkError("this link has expired already") from error
    except LinkInvalidError as error:
        raise CountermarkError("this link was not made here, or is not whole") from error
    return found.serial, found.expires_at * 1000


def _given(serial: str) -> tuple[str, int]:
    if not _SERIAL.match(serial):
        raise click.BadParameter(f"{serial!r} is neither a URL nor a serial")
    return serial, now_ms() + LONGEST_LINK_SECONDS * 1000
