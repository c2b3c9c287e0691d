"""The keys of links and recipients' copies, as a process follows them."""

from collections.abc import Callable

from countermark.bootstrap.refreshed import refreshed
from countermark.catalog.database import Database
from countermark.catalog.readers import autograph as read_autograph
from countermark.catalog.readers import keys as read_keys
from countermark.links.keys import KeyRing, LinkKey
from countermark.work.parts import now_ms

# A new key signs only once every process has read it, so that no edge meets it unprepared.
KEY_SETTLED_MS = 20_000


def key_ring(database: Database) -> Callable[[], KeyRing]:
    """A provider of the current keys."""
    return refreshed("link keys", lambda: read_ring(database))


def read_marks(database: Database) -> dict[int, bytes]:
    """The autograph keys' secrets, by their ids."""
    with database.read() as connection:
        return {key.id: key.secret for key in read_autograph.keys(connection)}


def read_ring(database: Database) -> KeyRing:
    """The keys as they are now."""
    with database.read() as connection:
        rows = read_keys.link_keys(connection)
    settled = [row.id for row in rows if row.created_at <= now_ms() - KEY_SETTLED_MS]
    signing = max(settled, default=min((row.id for row in rows), default=None))
    return KeyRing([LinkKey(id=row.id, secret=row.secret) for row in rows], signing)
