"""The worker's parts."""

import socket
from pathlib import Path

from countermark.catalog.database import Database
from countermark.media.sandbox import ProbeLimits, Sandbox
from countermark.settings import Settings
from countermark.storage.open import open_store
from countermark.work.lists import ListKeeper
from countermark.work.parts import WorkParts


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


def list_keeper(settings: Settings) -> ListKeeper:
    """Build what keeps the address lists."""
    return ListKeeper(
        database=Database(settings.database_url),
        store=open_store(settings.storage_url),
        spool=settings.data_dir / "spool",
    )
