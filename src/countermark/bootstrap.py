"""The only place that builds concrete parts from settings.

`prepare` makes a data folder and databases ready; the other functions build what one process
needs. Nothing here is kept at module level: each process builds its own.
"""

import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog
from dbos import DBOS
from litestar import Litestar
from sqlalchemy import Connection

from countermark import settings as settings_module
from countermark.api import scopes
from countermark.api.app import build_app
from countermark.api.parts import ApiParts
from countermark.catalog.database import Database, migrate
from countermark.catalog.readers import accounts as read_accounts
from countermark.catalog.readers import keys as read_keys
from countermark.catalog.records import ApplicationRecord, PipelineRecord, UserRecord
from countermark.catalog.writers import accounts as write_accounts
from countermark.catalog.writers import keys as write_keys
from countermark.catalog.writers import pipelines as write_pipelines
from countermark.edge.app import EdgeParts
from countermark.links.keys import KeyRing, LinkKey
from countermark.links.ledger import open_ledger
from countermark.media.sandbox import ProbeLimits, Sandbox
from countermark.settings import Settings
from countermark.storage.open import open_store
from countermark.work.parts import WorkParts, now_ms
from countermark.work.queue import WorkQueue

log = structlog.get_logger()

KEY_REFRESH_SECONDS = 2.0


@dataclass(frozen=True)
class NewAccount:
    """An application just made, with the pipeline that is ready for its files."""

    user: UserRecord
    application: ApplicationRecord
    pipeline: PipelineRecord


def prepare(settings: Settings) -> NewAccount | None:
    """Make the data folder and the databases ready; safe from several processes at once.

    Returns:
        The first account if this call made it, else None.
    """
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = Database(settings.database_url)
    try:
        migrate(database)
        DBOS.migrate(workflows_url(settings))
        with database.write() as connection:
            # Its lock holds to the end of the transaction, so only one process makes the owner.
            write_keys.ensure_link_key(connection, now_ms())
            if read_accounts.first_user(connection):
                return None
            user = write_accounts.create_user(connection, "owner", now_ms())
            return create_application(connection, user, "first", scopes.ALL)
    finally:
        database.close()


def create_application(
    connection: Connection, user: UserRecord, name: str, granted: tuple[str, ...]
) -> NewAccount:
    """Make an application with a default pipeline."""
    now = now_ms()
    application = write_accounts.create_application(connection, user.id, name, granted, now)
    pipeline = write_pipelines.create_pipeline(
        connection, user_id=user.id, application_id=application.id, name=name, now=now
    )
    return NewAccount(user, application, pipeline)


def workflows_url(settings: Settings) -> str:
    """DBOS's database: beside the catalog, in a file or a schema of its own."""
    if settings.database_url.startswith("sqlite"):
        return f"sqlite:///{settings.data_dir / 'workflows.sqlite'}"
    return settings.database_url


def api_app() -> Litestar:
    """Build the API from the environment; what each Granian worker calls."""
    settings = settings_module.load()
    database = Database(settings.database_url)
    return build_app(
        ApiParts(
            settings=settings,
            database=database,
            store=open_store(settings.storage_url),
            ring=key_ring(database),
            ledger=open_ledger(settings.ledger_url),
            enqueue_ingest=WorkQueue(workflows_url(settings)).ingest,
        )
    )


def edge_parts(settings: Settings) -> EdgeParts:
    """Build what an edge process needs."""
    return EdgeParts(
        store=open_store(settings.storage_url),
        ring=key_ring(Database(settings.database_url)),
        trusted_proxies=settings.trusted_proxies,
        max_upload_bytes=settings.max_upload_bytes,
        api_url=settings.api_url,
    )


def work_parts(settings: Settings) -> WorkParts:
    """Build what the worker needs."""
    return WorkParts(
        database=Database(settings.database_url),
        store=open_store(settings.storage_url),
        sandbox=Sandbox(ProbeLimits()),
        spool=Path(settings.data_dir) / "spool",
    )


def executor_id() -> str:
    """This worker's stable name: one worker a machine."""
    return socket.gethostname()


def key_ring(database: Database) -> Callable[[], KeyRing]:
    """A provider of the current keys, read anew every two seconds beside the event loop."""
    ring = _read_ring(database)

    def refresh() -> None:
        nonlocal ring
        while True:
            pause.wait(KEY_REFRESH_SECONDS)
            try:
                ring = _read_ring(database)
            except Exception:
                log.warning("link keys could not be refreshed", exc_info=True)

    pause = threading.Event()
    threading.Thread(target=refresh, name="link-keys", daemon=True).start()
    return lambda: ring


def _read_ring(database: Database) -> KeyRing:
    with database.read() as connection:
        rows = read_keys.link_keys(connection)
    return KeyRing([LinkKey(id=row.id, secret=row.secret) for row in rows])
