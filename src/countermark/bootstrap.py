"""The only place that builds concrete parts from settings.

`prepare` makes a data folder and databases ready; the other functions build what one process
needs. Nothing here is kept at module level: each process builds its own.
"""

import asyncio
import socket
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import structlog
from dbos import DBOS
from litestar.types import ASGIApp
from sqlalchemy import Connection

from countermark import settings as settings_module
from countermark.api import scopes
from countermark.api.app import build_app
from countermark.api.metrics import ApiMetrics
from countermark.api.parts import ApiParts
from countermark.catalog.database import Database, migrate
from countermark.catalog.readers import accounts as read_accounts
from countermark.catalog.readers import autograph as read_autograph
from countermark.catalog.readers import keys as read_keys
from countermark.catalog.records import ApplicationRecord, PipelineRecord, UserRecord
from countermark.catalog.writers import accounts as write_accounts
from countermark.catalog.writers import autograph as write_autograph
from countermark.catalog.writers import keys as write_keys
from countermark.catalog.writers import pipelines as write_pipelines
from countermark.edge.admission import Gate, Policies
from countermark.edge.app import EdgeParts
from countermark.edge.followed import FollowedLists, FollowedRevocations
from countermark.edge.meter import Meter
from countermark.edge.metrics import EdgeMetrics
from countermark.edge.transfers import Transfers
from countermark.errors import BlobNotFoundError
from countermark.links.keys import KeyRing, LinkKey
from countermark.links.ledger import Ledger, open_ledger
from countermark.media.sandbox import ProbeLimits, Sandbox
from countermark.settings import Settings
from countermark.storage.open import open_store
from countermark.storage.port import Store
from countermark.work.accounting import CatalogTraffic
from countermark.work.lists import ListKeeper
from countermark.work.parts import WorkParts, now_ms
from countermark.work.queue import WorkQueue

log = structlog.get_logger()

T = TypeVar("T")

REFRESH_SECONDS = 2.0
# A new key signs only once every process has read it, so that no edge meets it unprepared.
KEY_SETTLED_MS = 20_000
READY_SECONDS = 1.0
READY_TIMEOUT_SECONDS = 3.0
READY_KEY = "ready"  # no blob has it, and the ledger's mark of it means nothing
READY_KEY_SECONDS = 60


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
            write_autograph.ensure_key(connection, now_ms())
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


def api_app() -> ASGIApp:
    """Build the API from the environment; what each Granian worker calls."""
    settings = settings_module.load()
    database, store = Database(settings.database_url), open_store(settings.storage_url)
    ledger = open_ledger(settings.ledger_url)
    app = build_app(
        ApiParts(
            settings=settings,
            database=database,
            store=store,
            ring=key_ring(database),
            ledger=ledger,
            enqueue_ingest=WorkQueue(workflows_url(settings)).ingest,
            ready=Readiness(database, store, ledger),
        )
    )
    return ApiMetrics().counted(app) if settings.metrics_port else app


def edge_parts(settings: Settings) -> EdgeParts:
    """Build what an edge process needs."""
    database, store = Database(settings.database_url), open_store(settings.storage_url)
    ledger = open_ledger(settings.ledger_url)
    meter, metrics = Meter(CatalogTraffic(database), now_ms), EdgeMetrics()
    return EdgeParts(
        store=store,
        ring=key_ring(database),
        marks=refreshed("autograph keys", lambda: read_marks(database)),
        trusted_proxies=settings.trusted_proxies,
        max_upload_bytes=settings.max_upload_bytes,
        api_url=settings.api_url,
        gate=_gate(settings, database, store, ledger),
        transfers=Transfers(meter, metrics),
        meter=meter,
        metrics=metrics,
        ready=Readiness(database, store, ledger),
    )


def _gate(settings: Settings, database: Database, store: Store, ledger: Ledger) -> Gate:
    revocations = refreshed("revocations", FollowedRevocations(database))
    lists = refreshed("address lists", FollowedLists(database, store))
    return Gate(
        revoked=lambda link: revocations().reason(link),
        listed=lambda address: lists().reason(address),
        policies=Policies(ledger, settings.resume_window),
        lenient=settings.ledger_down == "allow",
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


class Readiness:
    """Whether the parts behind a process answer; they are asked once a second at most.

    Args:
        database: The catalog.
        store: The blobs.
        ledger: What links remember.
    """

    def __init__(self, database: Database, store: Store, ledger: Ledger) -> None:
        self._checks: dict[str, Callable[[], Awaitable[object]]] = {
            "database": lambda: asyncio.to_thread(_glance, database),
            "store": lambda: _look(store),
            "ledger": lambda: ledger.spend(READY_KEY, int(time.time()) + READY_KEY_SECONDS),
        }
        self._silent: tuple[str, ...] = ()
        self._until = 0.0
        self._asking = asyncio.Lock()

    async def __call__(self) -> tuple[str, ...]:
        """Name those that do not answer."""
        async with self._asking:
            if time.monotonic() >= self._until:
                answers = await asyncio.gather(*(self._answers(name) for name in self._checks))
                self._silent = tuple(
                    name for name, well in zip(self._checks, answers, strict=True) if not well
                )
                self._until = time.monotonic() + READY_SECONDS
            return self._silent

    async def _answers(self, name: str) -> bool:
        try:
            async with asyncio.timeout(READY_TIMEOUT_SECONDS):
                await self._checks[name]()
        except Exception:
            log.warning("a part does not answer", part=name, exc_info=True)
            return False
        return True


def _glance(database: Database) -> None:
    with database.read() as connection:
        connection.exec_driver_sql("SELECT 1")


async def _look(store: Store) -> None:
    with suppress(BlobNotFoundError):
        await store.stat(READY_KEY)


def list_keeper(settings: Settings) -> ListKeeper:
    """Build what keeps the address lists."""
    return ListKeeper(
        database=Database(settings.database_url),
        store=open_store(settings.storage_url),
        spool=settings.data_dir / "spool",
    )


def key_ring(database: Database) -> Callable[[], KeyRing]:
    """A provider of the current keys."""
    return refreshed("link keys", lambda: read_ring(database))


def refreshed(name: str, read: Callable[[], T]) -> Callable[[], T]:
    """A provider of what `read` gives, read anew every two seconds beside the event loop.

    The first read is done here, so that its failure is the caller's. A later failure is logged,
    and what was read before stays.
    """
    value = read()

    def refresh() -> None:
        nonlocal value
        while True:
            pause.wait(REFRESH_SECONDS)
            try:
                value = read()
            except Exception:
                log.warning("could not be refreshed", what=name, exc_info=True)

    pause = threading.Event()
    threading.Thread(target=refresh, name=name, daemon=True).start()
    return lambda: value


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
