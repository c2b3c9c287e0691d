"""The worker's parts."""

import os
from pathlib import Path

from countermark.catalog.database import Database
from countermark.media.child_protocol import ChildLimits
from countermark.media.sandbox import ProbeLimits, Sandbox
from countermark.settings import Settings
from countermark.storage.open import open_store
from countermark.work.identity import Identity
from countermark.work.lists import ListKeeper
from countermark.work.parts import WorkParts
from countermark.work.places.limits import TransferLimits


def work_parts(settings: Settings, worker: str) -> WorkParts:
    """Build what the worker of this name needs."""
    return WorkParts(
        database=Database(settings.database_url),
        store=open_store(settings.storage_url),
        sandbox=Sandbox(ProbeLimits()),
        spool=Path(settings.data_dir) / "spool",
        worker=worker,
        slots=settings.job_slots,
        dead_after=settings.worker_timeout,
        limits=ChildLimits(
            wall_seconds=settings.job_seconds,
            cpu_seconds=settings.job_seconds * (os.cpu_count() or 1),
            memory_bytes=settings.job_memory_bytes,
            output_bytes=settings.job_output_bytes,
        ),
        transfers=TransferLimits(
            most_bytes=settings.max_upload_bytes,
            wall_seconds=settings.job_seconds,
            internal=settings.internal_addresses == "allow",
        ),
    )


def worker_identity(settings: Settings) -> Identity:
    """A name for a worker of this machine, held until it is closed."""
    return Identity(settings.data_dir / "workers")


def list_keeper(settings: Settings) -> ListKeeper:
    """Build what keeps the address lists."""
    return ListKeeper(
        database=Database(settings.database_url),
        store=open_store(settings.storage_url),
        spool=settings.data_dir / "spool",
    )
