"""The API's parts."""

from litestar.types import ASGIApp

from countermark import settings as settings_module
from countermark.api.app import build_app
from countermark.api.metrics import ApiMetrics
from countermark.api.parts import ApiParts
from countermark.bootstrap.keys import key_ring
from countermark.bootstrap.readiness import Readiness
from countermark.bootstrap.workflows import workflows_url
from countermark.catalog.database import Database
from countermark.links.ledger import open_ledger
from countermark.storage.open import open_store
from countermark.work.queue import WorkQueue


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
