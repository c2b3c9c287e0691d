"""The edge's parts."""

from countermark.bootstrap.keys import key_ring, read_marks
from countermark.bootstrap.readiness import Readiness
from countermark.bootstrap.refreshed import refreshed
from countermark.catalog.database import Database
from countermark.edge.admission import Gate, Policies
from countermark.edge.followed import FollowedLists, FollowedRevocations
from countermark.edge.meter import Meter
from countermark.edge.metrics import EdgeMetrics
from countermark.edge.parts import EdgeParts
from countermark.edge.transfers import Transfers
from countermark.links.ledger import Ledger, open_ledger
from countermark.settings import Settings
from countermark.storage.open import open_store
from countermark.storage.port import Store
from countermark.work.accounting import CatalogTraffic
from countermark.work.parts import now_ms


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
