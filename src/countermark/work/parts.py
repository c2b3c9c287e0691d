"""What the worker is made of, and the address of its queue."""

import time
from dataclasses import dataclass, field
from pathlib import Path

from countermark.catalog.database import Database
from countermark.media.child_protocol import ChildLimits
from countermark.media.sandbox import Sandbox
from countermark.storage.port import Store
from countermark.work.metrics import WorkMetrics
from countermark.work.places.limits import TransferLimits

APPLICATION = "countermark"
INGEST_QUEUE = "ingest"
INGEST_WORKFLOW = "ingest"
JOB_WORKFLOW = "job"
BACKTRACE_QUEUE = "backtraces"
BACKTRACE_WORKFLOW = "backtrace"


@dataclass(frozen=True)
class WorkParts:
    """Everything that a workflow touches.

    Attributes:
        database: the catalog.
        store: where the bytes are.
        sandbox: describes media in processes of their own.
        spool: a folder for what is being worked on.
        worker: this worker's name.
        slots: how many jobs it works on at a time.
        dead_after: seconds after which a worker that does not show itself is dead.
        limits: what one piece of media work may use.
        transfers: what one transfer from or to elsewhere may cost.
        metrics: what is counted for Prometheus.
    """

    database: Database
    store: Store
    sandbox: Sandbox
    spool: Path
    worker: str = "worker"
    slots: int = 1
    dead_after: float = 30.0
    limits: ChildLimits = field(default_factory=ChildLimits)
    transfers: TransferLimits = field(default_factory=TransferLimits)
    metrics: WorkMetrics = field(default_factory=WorkMetrics)


def now_ms() -> int:
    """The time as the catalog keeps it: milliseconds since the epoch."""
    return time.time_ns() // 1_000_000
