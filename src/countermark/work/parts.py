"""What the worker is made of, and the address of its queue."""

import time
from dataclasses import dataclass, field
from pathlib import Path

from countermark.catalog.database import Database
from countermark.media.sandbox import Sandbox
from countermark.storage.port import Store
from countermark.work.metrics import WorkMetrics

APPLICATION = "countermark"
INGEST_QUEUE = "ingest"
INGEST_WORKFLOW = "ingest"


@dataclass(frozen=True)
class WorkParts:
    """Everything that a workflow touches.

    Attributes:
        database: the catalog.
        store: where the bytes are.
        sandbox: describes media in processes of their own.
        spool: a folder for passing copies of blobs that are not local files.
        metrics: what is counted for Prometheus.
    """

    database: Database
    store: Store
    sandbox: Sandbox
    spool: Path
    metrics: WorkMetrics = field(default_factory=WorkMetrics)


def now_ms() -> int:
    """The time as the catalog keeps it: milliseconds since the epoch."""
    return time.time_ns() // 1_000_000
